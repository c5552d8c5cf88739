#include "support/other_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void other_value(const struct config_key *key, const char *value, char *text, size_t size)
{
    double number = atof(value);
    switch (key->type) {
    case KEY_PATHS:
        snprintf(text, size, "/elsewhere.h5");
        break;
    case KEY_SWITCH:
    case KEY_SWITCHES:
        snprintf(text, size, "%s", strncmp(value, "yes", 3) == 0 ? "no" : "yes");
        break;
    case KEY_CHOICE:
        snprintf(text, size, "%s", key->choices[strcmp(value, key->choices[0]) == 0]);
        break;
    case KEY_COUNT:
    case KEY_SIZE:
    case KEY_SIZES:
    case KEY_SEED:
        snprintf(text, size, "%lld", atoll(value) + 1);
        break;
    case KEY_AUTO:
        snprintf(text, size, "%g", strcmp(value, "auto") == 0 ? 2.5 : number + 1);
        break;
    case KEY_REAL: /* never beyond what bounds it */
        snprintf(text, size, "%g", number > 0 ? number / 2 : strcmp(key->name, "timescale") == 0 ? 30 : 1e-5);
        break;
    case KEY_WIDTHS:
        snprintf(text, size, "%d", *value ? atoi(value) + 1 : 7);
        break;
    case KEY_WEIGHTS:
        snprintf(text, size, "%d,2", *value ? atoi(value) + 1 : 1);
        break;
    case KEY_SHARES:
        snprintf(text, size, "%g,0.99", number < 0.5 ? number + 0.01 : number / 2);
        break;
    case KEY_PATTERNS:
        snprintf(text, size, "%s", *value ? "" : "head.bias");
        break;
    case KEY_RATES:
        snprintf(text, size, "%s", *value ? "" : "head.* 0.5");
        break;
    case KEY_BYTES:
        snprintf(text, size, "%lld GiB", atoll(value) + 1);
        break;
    case KEY_SECONDS:
        snprintf(text, size, "%lld hours", atoll(value) + 1);
        break;
    case KEY_INTERVALS:
        snprintf(text, size, "%lld epochs", atoll(value) + 1);
        break;
    }
}
