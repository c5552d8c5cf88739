/* Texts from outside, as they may go to a terminal. */
#ifndef BASE_CLEAN_H
#define BASE_CLEAN_H

/* Makes a text from outside fit for a terminal, in place: every byte of a control character (of C0 and C1,
 * tab and newline among them) and of what is not UTF-8 becomes '?'. All that base/error.h and base/log.h take
 * passes it. Returns `text`. It calls only what signal handlers may. */
char *text_clean(char *text);

#endif
