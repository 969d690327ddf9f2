/* SPDX-License-Identifier: MIT */
/* request_meta.c - request.META: the CGI-style dict (RFC 3875) that Django code reads.
 *
 * Every value is a str. REMOTE_ADDR is the client behind trusted proxies, as BOLT_TRUSTED_PROXIES allows; then
 * REMOTE_PORT is "0", because proxies do not pass it on. A peer on a UNIX socket counts as 127.0.0.1. Header names
 * with an underscore are left out: "X_User" and "X-User" would both be HTTP_X_USER, which lets clients forge what
 * a proxy sets.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "request_int.h"

/* meta[key] = value; steals `value`, which may be NULL with an exception set. */
static int put(PyObject *meta, PyObject *key, PyObject *value)
{
    int status = value == NULL ? -1 : PyDict_SetItem(meta, key, value);
    Py_XDECREF(value);
    return status;
}

/* IP address and port of a socket address; false when it has none. */
static bool ip_of(const struct sockaddr_storage *addr, struct bolt_ip *ip, unsigned *port)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (addr->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, addr, sizeof(in));
        memcpy(ip->bytes, mapped, sizeof(mapped));
        memcpy(ip->bytes + sizeof(mapped), &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
        return true;
    }
    if (addr->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, addr, sizeof(in6));
        memcpy(ip->bytes, &in6.sin6_addr, 16);
        *port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}

static PyObject *ip_text(const struct bolt_ip *ip)
{
    char text[46];
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)bolt_ip_text(ip, text));
}

void bolt_py_request_addresses(const struct bolt_py_request *request, struct sockaddr_storage *peer,
                               struct sockaddr_storage *local)
{
    *peer = *local = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (request->exchange != NULL) {
        socklen_t len = sizeof(*peer);
        if (bolt_exchange_peer(request->exchange, peer, &len) != BOLT_OK)
            peer->ss_family = AF_UNSPEC;
        len = sizeof(*local);
        if (bolt_exchange_local(request->exchange, local, &len) != BOLT_OK)
            local->ss_family = AF_UNSPEC;
    } else if (request->copy != NULL) {
        *peer = request->copy->peer;
        *local = request->copy->local;
    }
}

static int put_client(PyObject *meta, const struct bolt_py_request *request, const struct bolt_http1_head *head,
                      const struct sockaddr_storage *peer_addr)
{
    static const struct bolt_ip loopback = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}};
    const struct bolt_py_settings *settings = request->settings;
    const struct bolt_py_state *bolt = request->bolt;
    struct bolt_ip peer, client;
    struct bolt_py_text forwarded;
    unsigned port = 0;
    if (!ip_of(peer_addr, &peer, &port))
        peer = loopback;
    client = peer;
    if (settings->trusted_count > 0) {
        int found = bolt_py_text_load_header(&forwarded, head, BOLT_SLICE_LIT("x-forwarded-for"), -1);
        if (found < 0)
            return -1;
        if (found > 0) {
            bolt_forwarded_client(forwarded.value, &peer, settings->trusted, settings->trusted_count, &client);
            bolt_py_text_clear(&forwarded);
        }
    }
    if (memcmp(&client, &peer, sizeof(client)) != 0)
        port = 0;
    return put(meta, bolt->str_REMOTE_ADDR, ip_text(&client)) < 0 ||
                   put(meta, bolt->str_REMOTE_HOST, ip_text(&client)) < 0
               ? -1
               : put(meta, bolt->str_REMOTE_PORT, PyUnicode_FromFormat("%u", port));
}

static int put_server(PyObject *meta, const struct bolt_py_state *bolt, const struct sockaddr_storage *local)
{
    struct bolt_ip ip;
    unsigned port = 0;
    PyObject *name = ip_of(local, &ip, &port) ? ip_text(&ip) : PyUnicode_FromString("unknown");
    return put(meta, bolt->str_SERVER_NAME, name) < 0
               ? -1
               : put(meta, bolt->str_SERVER_PORT, PyUnicode_FromFormat("%u", port));
}

/* "HTTP_ACCEPT_ENCODING" of "Accept-Encoding"; NULL without exception for names to leave out. */
static PyObject *meta_name(struct bolt_slice name)
{
    static const char prefix[] = "HTTP_";
    bool bare =
        bolt_slice_ieq(name, BOLT_SLICE_LIT("content-type")) || bolt_slice_ieq(name, BOLT_SLICE_LIT("content-length"));
    size_t skip = bare ? 0 : sizeof(prefix) - 1;
    if (memchr(name.ptr, '_', name.len) != NULL)
        return NULL;
    PyObject *text = PyUnicode_New((Py_ssize_t)(skip + name.len), 127); /* a token: ASCII */
    if (text == NULL)
        return NULL;
    Py_UCS1 *out = PyUnicode_1BYTE_DATA(text);
    memcpy(out, prefix, skip);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        out[skip + i] = (Py_UCS1)(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    return text;
}

/* Adds every header; repeated ones were joined when request.headers was built. */
static int put_headers(PyObject *meta, PyObject *headers)
{
    PyObject *name, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(headers, &pos, &name, &value)) {
        struct bolt_slice text =
            bolt_slice_of((const char *)PyUnicode_1BYTE_DATA(name), (size_t)PyUnicode_GET_LENGTH(name));
        PyObject *key = meta_name(text);
        int status = key == NULL ? (PyErr_Occurred() ? -1 : 0) : PyDict_SetItem(meta, key, value);
        Py_XDECREF(key);
        if (status < 0)
            return -1;
    }
    return 0;
}

static int fill(PyObject *meta, struct bolt_py_request *request, PyObject *headers)
{
    struct sockaddr_storage peer, local;
    const struct bolt_http1_head *head = bolt_py_request_wire(request).head;
    const struct bolt_py_state *bolt = request->bolt;
    bolt_py_request_addresses(request, &peer, &local);
    if (put(meta, bolt->str_REQUEST_METHOD, bolt_py_field_text(head->method_name)) < 0 ||
        put(meta, bolt->str_PATH_INFO, bolt_py_request_build_path(request)) < 0 ||
        put(meta, bolt->str_QUERY_STRING, bolt_py_field_text(head->query)) < 0 ||
        put(meta, bolt->str_SCRIPT_NAME, PyUnicode_FromString("")) < 0 ||
        put(meta, bolt->str_SERVER_PROTOCOL, PyUnicode_FromFormat("HTTP/1.%u", (unsigned)head->minor)) < 0 ||
        put(meta, bolt->str_CONTENT_TYPE, PyUnicode_FromString("")) < 0 ||
        put(meta, bolt->str_CONTENT_LENGTH, PyUnicode_FromString("")) < 0)
        return -1;
    if (put_server(meta, bolt, &local) < 0 || put_client(meta, request, head, &peer) < 0)
        return -1;
    return put_headers(meta, headers);
}

PyObject *bolt_py_request_build_meta(struct bolt_py_request *request)
{
    PyObject *headers = bolt_py_request_build_headers(request); /* not the attribute: users may change that one */
    PyObject *meta = headers == NULL ? NULL : PyDict_New();
    if (meta != NULL && fill(meta, request, headers) < 0)
        Py_CLEAR(meta);
    Py_XDECREF(headers);
    return meta;
}
