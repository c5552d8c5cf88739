/* A library that stands between a program and the C library, and makes the Nth of chosen calls fail, or be
 * the last: SIGKILL before or after it, as a machine stops, with or without what was not yet made durable.
 *
 * A test program links it (before the C library, so that its own and its libraries' calls come here) and arms
 * it in a process forked for one fault. Another program is started with LD_PRELOAD and the variable INJECT,
 * words in any order:
 *
 *     calls=write,sync at=3 action=fail then=always errno=28 below=/run/dir after=checkpoint-0000000010
 *     program=rnn-train lose=data,names report=/file
 *
 * What it cannot see: calls inside the C library (fopen's open and write, opendir's open), which do not go
 * through names. Memory they ask for does.
 *
 * fsync is not handed to the kernel while armed with a loss or not: what is durable is what this library has
 * seen, and tests are fast. */
#ifndef TESTS_FAULTS_INJECT_H
#define TESTS_FAULTS_INJECT_H

enum inject_call {
    INJECT_OPEN, /* open, openat, creat: for reading too */
    INJECT_READ,
    INJECT_WRITE, /* write, pwrite, writev */
    INJECT_SYNC,  /* fsync, fdatasync */
    INJECT_RENAME,
    INJECT_CLOSE,
    INJECT_UNLINK,
    INJECT_LINK,
    INJECT_TRUNCATE, /* ftruncate, fallocate */
    INJECT_FOLDER,   /* mkdir */
    INJECT_ALLOCATE, /* malloc, calloc, realloc, aligned_alloc, posix_memalign */
    INJECT_CALLS
};

enum inject_action {
    INJECT_COUNT, /* only counts */
    INJECT_FAIL,  /* with errno `error`; a file is closed all the same, as close(2) does */
    INJECT_SHORT, /* reads and writes half; calls that cannot be short go on */
    INJECT_FULL,  /* the Nth writes half, those behind it fail: a disk that is full */
    INJECT_KILL_BEFORE,
    INJECT_KILL_AFTER
};

/* What is lost at a kill: bits. */
enum inject_loss {
    INJECT_LOSE_DATA = 1,  /* files are cut where they were written to since their last fsync */
    INJECT_ZERO_DATA = 2,  /* zeroes stand there */
    INJECT_LOSE_NAMES = 4, /* what was created, renamed or removed since the folder's last fsync is undone */
};

struct inject_plan {
    unsigned calls; /* 1 << enum inject_call, together */
    long at;        /* the Nth of them, from 1 */
    int always;     /* and all that come after */
    enum inject_action action;
    int error;       /* errno; 0: EIO, ENOMEM for memory */
    unsigned loss;   /* enum inject_loss */
    char below[512]; /* only files whose absolute path begins so; "": all. A loss needs it */
    char after[64];  /* nothing counts before a call with a path that has this in it; "": from the start */
    char caller[32]; /* only memory asked for by a program or library with this in its file's name; "": any */
    char program[32]; /* only in a process of this name; "": any */
};

/* Lies in memory that is shared with who wants to know, or in a file of this size. */
struct inject_report {
    long seen;             /* chosen calls so far */
    long fired;            /* of them, that were acted upon */
    enum inject_call call; /* the first of these */
    char path[512];
};

/* From now on. The report must stay until inject_disarm. */
void inject_arm(const struct inject_plan *plan, struct inject_report *report);
void inject_disarm(void);

/* "write" of INJECT_WRITE */
const char *inject_call_name(enum inject_call call);

#endif
