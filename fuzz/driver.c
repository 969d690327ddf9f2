/* SPDX-License-Identifier: MIT */
/* driver.c - a main() for fuzz targets without libFuzzer: runs each file given, or found in the directories
 * given, through LLVMFuzzerTestOneInput once. A finding aborts, so the last name printed is the culprit. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The content of a file in a heap block of exactly its size, so that sanitizers see overreads. NULL: printed why. */
static uint8_t *read_file(const char *path, size_t *size)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) != 0) {
        perror(path);
        if (file)
            fclose(file);
        return NULL;
    }
    *size = (size_t)info.st_size;
    uint8_t *data = malloc(*size ? *size : 1);
    if (data && fread(data, 1, *size, file) != *size) {
        fprintf(stderr, "%s: cannot read it whole\n", path);
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

static int replay_file(const char *path)
{
    size_t size;
    uint8_t *data = read_file(path, &size);
    if (!data)
        return -1;
    printf("%s (%zu octets)\n", path, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

/* Number of files replayed, -1 on failure. */
static int replay_dir(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        return -1;
    }
    for (struct dirent *entry; count >= 0 && (entry = readdir(dir));) {
        char name[4096];
        int n = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        if (n < 0 || (size_t)n >= sizeof(name) || replay_file(name) < 0)
            count = -1;
        else
            count++;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            if (errno == ENOENT)
                continue; /* no regressions yet: git keeps no empty directory */
            perror(argv[i]);
            return 1;
        }
        int count = S_ISDIR(info.st_mode) ? replay_dir(argv[i]) : replay_file(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1; /* an empty corpus would pass without testing anything */
}
