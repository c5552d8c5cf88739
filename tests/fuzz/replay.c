/* Every file and every file in every folder of the command line, once, in a process of its own as when
 * fuzzing (HDF5 keeps what one has done to it). That it ends with EXIT_CODE_DATA, HDF5's trap (h5/trap.h), is
 * allowed; any other end but a good one is a failure, and that a file behind the word "good" is not accepted.
 */
#include "base/error.h"
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_ACCEPTED = 1, SECONDS = 30 };

static int count, trapped, good;

/* In the child: its exit code. */
static int use_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || stat(path, &status) != 0) {
        perror(path);
        abort();
    }
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size ? size : 1); /* as long as the input: reading behind it shows */
    if (!bytes || fread(bytes, 1, size, file) != size)
        abort();
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return good && !fuzz_accepted ? NOT_ACCEPTED : EXIT_SUCCESS;
}

/* Removes what an input that did not end well has left of its files, whose names begin alike. */
static void remove_left(void)
{
    char left[FUZZ_PATH_BYTES], pattern[FUZZ_PATH_BYTES + 2];
    glob_t found;
    fuzz_file_name(getpid(), left);
    unlink(left);
    snprintf(pattern, sizeof pattern, "%s.*", left);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
}

static void replay_file(const char *path)
{
    int status = 0;
    fprintf(stderr, "%s\n", path);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        exit(use_file(path));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(EXIT_FAILURE);
    remove_left();
    int was_trapped = !good && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE_DATA;
    if (status != 0 && !was_trapped) {
        fprintf(stderr, "%s\n",
            WIFEXITED(status) && WEXITSTATUS(status) == NOT_ACCEPTED ? "was not accepted" : "crashed");
        exit(EXIT_FAILURE);
    }
    trapped += was_trapped;
    count++;
}

static void replay(const char *path)
{
    char name[4096];
    DIR *folder = opendir(path);
    if (!folder) {
        replay_file(path);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "good") == 0)
            good = 1;
        else
            replay(argv[i]);
    printf("%d inputs, HDF5 trapped in %d of them\n", count, trapped);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
