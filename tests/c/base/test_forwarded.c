/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/forwarded.h"

/* Addresses in, canonical text out (RFC 5952 for IPv6); NULL: refused. */
static void reads_and_writes_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"10.0.0.1", "10.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"10.0.0.1:80", "10.0.0.1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one zero group is not shortened */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* the longest run */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* the first of two equal runs */
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::192.0.2.1", "::c000:201"},
        {"0001:0002:0003:0004:0005:0006:0007:0008", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"10.0.0", NULL},
        {"10.0.0.256", NULL},
        {"10.0.0.01", NULL},
        {"10.0.0.1 ", NULL},
        {"10.0.0.1:", NULL},
        {"10.0.0.1:65536", NULL},
        {"10.0.0.1:8x", NULL},
        {"10.0.0.1:-1", NULL},
        {"[10.0.0.1]:80", NULL},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"[::1]:", NULL},
        {"[]", NULL},
        {"[", NULL},
        {":", NULL},
        {":::", NULL},
        {"1::2::3", NULL},
        {"::1%eth0", NULL},
        {"12345::", NULL},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        struct bolt_ip ip;
        assert_int_equal(bolt_ip_parse(in, &ip), cases[i].out ? BOLT_OK : BOLT_ERR_SYNTAX);
        free_copy(in);
        if (!cases[i].out)
            continue;
        char text[46];
        size_t len = bolt_ip_text(&ip, text);
        assert_slice_equal(bolt_slice_of(text, len), cases[i].out);
        struct bolt_ip again;
        assert_int_equal(bolt_ip_parse(bolt_slice_of(text, len), &again), BOLT_OK);
        assert_memory_equal(again.bytes, ip.bytes, 16);
    }
    struct bolt_ip ip;
    assert_int_equal(bolt_ip_parse(bolt_slice_of("10.0.0.1\0x", 10), &ip), BOLT_ERR_SYNTAX);
}

static struct bolt_ip ip_of(const char *text)
{
    struct bolt_ip ip;
    assert_int_equal(bolt_ip_parse(text_of(text), &ip), BOLT_OK);
    return ip;
}

static void refuses_malformed_networks(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",       "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x",   "10.0.0.1/8", "10.0.0.0/-1", "/8",
        "::/129", "::1/127",   "::/ 8",       "10.0.0.0:80/8", "[::1]",      "localhost",   "10.0.0.0/8/8",
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i]));
        struct bolt_ip_network network = {.prefix = 77};
        assert_int_equal(bolt_ip_network_parse(in, &network), BOLT_ERR_ARGUMENT);
        assert_int_equal(network.prefix, 77);
        free_copy(in);
    }
}

static void tells_members_from_strangers(void **state)
{
    (void)state;
    static const struct {
        const char *network, *ip;
        bool inside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.1/32", "10.0.0.1", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"192.168.4.0/23", "192.168.5.255", true},
        {"192.168.4.0/23", "192.168.6.0", false},
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"::ffff:10.0.0.0/104", "10.1.2.3", true},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"128.0.0.0/1", "127.255.255.255", false},
        {"128.0.0.0/1", "128.0.0.0", true},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_ip_network network;
        assert_int_equal(bolt_ip_network_parse(text_of(cases[i].network), &network), BOLT_OK);
        struct bolt_ip ip = ip_of(cases[i].ip);
        assert_int_equal(bolt_ip_in(&network, 1, &ip), cases[i].inside);
    }
    struct bolt_ip ip = ip_of("10.0.0.1");
    assert_false(bolt_ip_in(NULL, 0, &ip));
}

static void finds_the_client_behind_proxies(void **state)
{
    (void)state;
    static const struct {
        const char *name, *field, *peer, *client;
    } cases[] = {
        {"no field", "", "10.0.0.1", "10.0.0.1"},
        {"peer not trusted", "1.2.3.4", "203.0.113.9", "203.0.113.9"},
        {"one proxy", "1.2.3.4", "10.0.0.1", "1.2.3.4"},
        {"two proxies", "1.2.3.4, 10.0.0.2", "10.0.0.1", "1.2.3.4"},
        {"spoofed entry on the left", "6.6.6.6, 1.2.3.4, 10.0.0.2", "10.0.0.1", "1.2.3.4"},
        {"all trusted: left-most", "10.0.0.3, 10.0.0.2", "10.0.0.1", "10.0.0.3"},
        {"no spaces and tabs", "6.6.6.6,1.2.3.4\t,\t10.0.0.2", "10.0.0.1", "1.2.3.4"},
        {"empty elements", ", 1.2.3.4,, ,", "10.0.0.1", "1.2.3.4"},
        {"only commas", ",,,", "10.0.0.1", "10.0.0.1"},
        {"garbage ends the walk", "1.2.3.4, unknown, 10.0.0.2", "10.0.0.1", "10.0.0.2"},
        {"garbage at once", "unknown", "10.0.0.1", "10.0.0.1"},
        {"ports", "1.2.3.4:5678, [2001:db8::1]:443", "10.0.0.1", "1.2.3.4"},
        {"IPv6 client", "2001:db9::7", "10.0.0.1", "2001:db9::7"},
        {"mapped proxy", "1.2.3.4", "::ffff:10.0.0.1", "1.2.3.4"},
    };
    struct bolt_ip_network trusted[2];
    assert_int_equal(bolt_ip_network_parse(text_of("10.0.0.0/8"), &trusted[0]), BOLT_OK);
    assert_int_equal(bolt_ip_network_parse(text_of("2001:db8::/32"), &trusted[1]), BOLT_OK);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice field = exact_copy(text_of(cases[i].field));
        struct bolt_ip peer = ip_of(cases[i].peer), client;
        bolt_forwarded_client(field, &peer, trusted, 2, &client);
        char text[46];
        assert_slice_equal(bolt_slice_of(text, bolt_ip_text(&client, text)), cases[i].client);
        bolt_forwarded_client(field, &peer, NULL, 0, &client);
        assert_memory_equal(client.bytes, peer.bytes, 16);
        free_copy(field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_addresses),
        cmocka_unit_test(refuses_malformed_networks),
        cmocka_unit_test(tells_members_from_strangers),
        cmocka_unit_test(finds_the_client_behind_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
