#include "model/export.h"

#include <stddef.h>

#define EXPORT(name) extern const struct export_kind export_##name;
#include "model/list.h"
#undef EXPORT

const struct export_kind *const export_kinds[] = {
#define EXPORT(name) &export_##name,
#include "model/list.h"
#undef EXPORT
    NULL};

const char *const export_names[] = {
#define EXPORT(name) #name,
#include "model/list.h"
#undef EXPORT
    NULL};
