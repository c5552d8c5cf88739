/* Lines on standard error: "PROGRAM: [rank 3 on node7] text", each written with one write(2). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Sets who speaks. Both texts are copied; rank < 0 leaves the bracket out. */
void log_set_speaker(const char *program, int rank, const char *host);
void log_set_level(enum log_level level); /* LOG_WARNING at the start */

/* Writes the texts, ended by NULL, as one line at any level. It calls only what signal handlers may. */
void log_texts(const char *const *texts);

/* Writes a line of this level, unless the level that is set is lower; a warning says that it is one. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
