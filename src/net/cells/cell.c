#include "net/cells/cell.h"

#define CELL(enumerator, name, kind, arithmetic, file) extern const struct cell_kind cell_##kind;
#include "kernel/cells/list.h"
#undef CELL

const struct cell_kind *const cell_kinds[] = {
#define CELL(enumerator, name, kind, arithmetic, file) [CELL_##enumerator] = &cell_##kind,
#include "kernel/cells/list.h"
#undef CELL
};

const char *const cell_names[] = {
#define CELL(enumerator, name, kind, arithmetic, file) [CELL_##enumerator] = name,
#include "kernel/cells/list.h"
#undef CELL
    NULL};

size_t net_count_gates(enum cell cell)
{
    return cell_kinds[cell]->gates;
}
