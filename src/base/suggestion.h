/* "Did you mean ...?": which of the known names someone meant who wrote one that is not known. */
#ifndef BASE_SUGGESTION_H
#define BASE_SUGGESTION_H

#include <stddef.h>

/* Set `written` and leave the rest zero; then offer every known name. `meant` is the name that comes nearest
 * to what was written, or NULL where none of them is near enough. Both are kept by reference. */
struct suggestion {
    const char *written;
    const char *meant;
    size_t distance; /* edits between the two */
};

/* Returns whether `name` is now the one that is meant. Of names equally near the first offered stays. */
int suggestion_offer(struct suggestion *suggestion, const char *name);

#endif
