/* The standard streams of a program, from its first line to its last. What a program prints on standard
 * output is its result: one that got lost is a failure of the program, whatever else went well. */
#ifndef BASE_STREAMS_H
#define BASE_STREAMS_H

/* To be called first of all. Standard output goes by lines from then on, so that what was said stays said
 * where the process is ended. A stream that whoever started the program has closed gets a place, so that no
 * file that is opened later takes its number and what is printed with it. */
void streams_begin(void);

/* To be called last of all, with the exit code that is due: closes standard output. Where not all that was
 * printed there could be written, it says so on standard error, and returns EXIT_CODE_IO in place of
 * EXIT_CODE_OK. Nothing can be printed afterwards. */
int streams_end(int code);

#endif
