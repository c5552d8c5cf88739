/* The names of a network beside those of a set: what is the same, and what is said where it is not. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/names.h"
#include "net/names.h"
#include "support/folder.h"
#include "support/suite.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

/* Lists as they come: they are not to be finished. */
static struct net_names names_of(enum names_of list, size_t n, const char *const *texts)
{
    struct net_names names = {0};
    names.list[list] = (struct name_list){n, (char **)texts};
    return names;
}

static const char *const abc[] = {"a", "b", "c"};

static void expect_refused(const struct net_names *set, const char *wants)
{
    struct error error = {0};
    const struct net_names network = names_of(NAMES_OF_CLASSES, 3, abc);
    ck_assert_int_eq(net_names_compare(&network, set, "FILE", &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_str_eq(error.text, wants);
}

START_TEST(the_same_names_in_the_same_order_are_accepted)
{
    static const char *const copy[] = {"a", "b", "c"};
    struct error error = {0};
    for (int list = 0; list < NAMES_LISTS; list++) {
        const struct net_names network = names_of((enum names_of)list, 3, abc);
        const struct net_names set = names_of((enum names_of)list, 3, copy);
        ck_assert_int_eq(net_names_compare(&network, &set, "FILE", &error), 0);
    }
}
END_TEST

START_TEST(another_order_is_told_with_both_places)
{
    static const char *const turned[] = {"a", "c", "b"};
    const struct net_names set = names_of(NAMES_OF_CLASSES, 3, turned);
    expect_refused(&set,
        "FILE: class_names: row 1 is \"c\" where the network has \"b\", and \"c\" in row 2: write the set in "
        "the order of the network's names");
}
END_TEST

START_TEST(a_name_that_the_network_has_not_is_told_as_such)
{
    static const char *const other[] = {"a", "b", "C"};
    const struct net_names set = names_of(NAMES_OF_CLASSES, 3, other);
    expect_refused(&set,
        "FILE: class_names: row 2 is \"C\" where the network has \"c\", and no \"C\" at all: give a set that "
        "has the network's names, in their order");
}
END_TEST

START_TEST(another_number_of_names_is_told_as_such)
{
    const struct net_names set = names_of(NAMES_OF_CLASSES, 2, abc);
    expect_refused(&set,
        "FILE: class_names: 2 names where the network has 3: give a set that has the network's names, in "
        "their order");
}
END_TEST

/* A name may stand twice; the other of two rows that differ is then the first of that name. */
START_TEST(names_that_stand_twice_are_compared_row_by_row)
{
    static const char *const has[] = {"a", "b", "b"}, *const given[] = {"a", "b", "a"};
    struct error error = {0};
    const struct net_names network = names_of(NAMES_OF_FEATURES, 3, has);
    const struct net_names set = names_of(NAMES_OF_FEATURES, 3, given);
    ck_assert_int_eq(net_names_compare(&network, &network, "FILE", &error), 0);
    ck_assert_int_eq(net_names_compare(&network, &set, "FILE", &error), -1);
    ck_assert_ptr_nonnull(
        strstr(error.text, "row 2 is \"a\" where the network has \"b\", and \"a\" in row 0"));
}
END_TEST

/* Composed and decomposed letters look alike and are different bytes; so are blanks that are part of a name.
 */
START_TEST(names_are_compared_byte_by_byte)
{
    static const char *const wrong[][3] = {
        {"\xc3\xa9", "b", "c"}, {"e\xcc\x81", "b", "c"}, {"a ", "b", "c"}, {" a", "b", "c"}, {"", "b", "c"}};
    const struct net_names network = names_of(NAMES_OF_CLASSES, 3, wrong[0]);
    struct error error = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct net_names set = names_of(NAMES_OF_CLASSES, 3, wrong[i]);
        ck_assert_int_eq(net_names_compare(&network, &set, "FILE", &error), i ? -1 : 0);
    }
}
END_TEST

START_TEST(a_message_cuts_long_names_and_replaces_control_characters)
{
    static char name[5000];
    const char *const given[] = {name, "b", "\x1b[2J"};
    struct error error = {0};
    memset(name, 'n', sizeof name - 1);
    const struct net_names network = names_of(NAMES_OF_CLASSES, 3, abc);
    struct net_names set = names_of(NAMES_OF_CLASSES, 3, given);
    ck_assert_int_eq(net_names_compare(&network, &set, "FILE", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "where the network has \"a\""));
    ck_assert_uint_lt(strlen(error.text), 500);
    const char *const second[] = {"a", "b", given[2]};
    set = names_of(NAMES_OF_CLASSES, 3, second);
    ck_assert_int_eq(net_names_compare(&network, &set, "FILE", &error), -1);
    ck_assert_ptr_null(strchr(error.text, '\x1b'));
}
END_TEST

/* ---- names that one of the two has not ---- */

START_TEST(lists_that_one_has_not_are_warned_of_and_not_compared)
{
    struct error error = {0};
    struct net_names network = names_of(NAMES_OF_FEATURES, 3, abc), none = {0};
    char warning[300];
    network.list[NAMES_OF_CLASSES] = network.list[NAMES_OF_FEATURES];
    ck_assert_int_eq(net_names_compare(&network, &none, "FILE", &error), 0);
    net_names_describe_missing(&network, &none, "FILE", warning, sizeof warning);
    ck_assert_str_eq(warning,
        "FILE: has no feature_names, class_names, which the network has: its numbers are taken to be in the "
        "network's order");
    net_names_describe_missing(&none, &network, "FILE", warning, sizeof warning);
    ck_assert_str_eq(warning,
        "FILE: feature_names, class_names cannot be compared: the network was trained on a set without, or "
        "its checkpoint is of an old format");
    net_names_describe_missing(&network, &network, "FILE", warning, sizeof warning);
    ck_assert_str_eq(warning, "");
    net_names_describe_missing(&none, &none, "FILE", warning, sizeof warning);
    ck_assert_str_eq(warning, "");
}
END_TEST

START_TEST(a_warning_of_both_kinds_fits_where_there_is_little_room)
{
    struct net_names network = names_of(NAMES_OF_FEATURES, 3, abc), set = names_of(NAMES_OF_TARGETS, 3, abc);
    char warning[300], small[40];
    net_names_describe_missing(&network, &set, "FILE", warning, sizeof warning);
    ck_assert_ptr_nonnull(strstr(warning, "FILE: has no feature_names, "));
    ck_assert_ptr_nonnull(strstr(warning, "; FILE: target_names cannot be compared: "));
    net_names_describe_missing(&network, &set, "FILE", small, sizeof small);
    ck_assert_uint_eq(strlen(small), sizeof small - 1);
    ck_assert_int_eq(strncmp(small, warning, sizeof small - 1), 0);
}
END_TEST

START_TEST(a_network_takes_the_names_that_it_lacks_and_keeps_those_it_has)
{
    static const char *const others[] = {"", "\xc3\xa9", "a long name with blanks "};
    struct net_names names = {0}, first = names_of(NAMES_OF_CLASSES, 3, others);
    struct net_names second = names_of(NAMES_OF_CLASSES, 3, abc);
    struct error error = {0};
    second.list[NAMES_OF_SYMBOLS] = second.list[NAMES_OF_CLASSES];
    ck_assert_int_eq(net_names_complete(&names, &first, &error), 0);
    ck_assert_int_eq(net_names_complete(&names, &second, &error), 0);
    ck_assert_ptr_ne(names.list[NAMES_OF_CLASSES].text, others); /* a copy */
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(names.list[NAMES_OF_CLASSES].text[i], others[i]);
        ck_assert_str_eq(names.list[NAMES_OF_SYMBOLS].text[i], abc[i]);
    }
    ck_assert_ptr_null(names.list[NAMES_OF_FEATURES].text);
    net_names_finish(&names);
    ck_assert_ptr_null(names.list[NAMES_OF_CLASSES].text);
    net_names_finish(&names);
}
END_TEST

/* ---- as files have them ---- */

/* How strings are stored. */
enum storage { VARIABLE, NULL_TERMINATED, NULL_PADDED, SPACE_PADDED, STORAGES };

static hid_t make_type(enum storage storage, size_t width)
{
    static const H5T_str_t padding[] = {
        H5T_STR_NULLTERM, H5T_STR_NULLTERM, H5T_STR_NULLPAD, H5T_STR_SPACEPAD};
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, storage == VARIABLE ? H5T_VARIABLE : width);
    H5Tset_strpad(type, padding[storage]);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

enum { WIDTH = 16, ROWS = 3 };

/* Texts [ROWS] of fewer than WIDTH bytes. */
static void write_texts(hid_t file, const char *set, enum storage storage, const char *const *texts)
{
    const hsize_t rows[] = {ROWS};
    char block[ROWS][WIDTH];
    hid_t type = make_type(storage, WIDTH), space = H5Screate_simple(1, rows, NULL);
    for (int i = 0; i < ROWS; i++) {
        memset(block[i], storage == SPACE_PADDED ? ' ' : 0, WIDTH);
        memcpy(block[i], texts[i], strlen(texts[i]));
    }
    hid_t id = H5Dcreate2(file, set, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const void *values = storage == VARIABLE ? (const void *)texts : block;
    ck_assert(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    ck_assert(H5Dclose(id) >= 0 && H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
}

static void write_integers(hid_t file, const char *set, int n, const int32_t *values)
{
    const hsize_t rows[] = {(hsize_t)n};
    hid_t space = H5Screate_simple(1, rows, NULL);
    hid_t id = H5Dcreate2(file, set, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Dwrite(id, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    ck_assert(H5Dclose(id) >= 0 && H5Sclose(space) >= 0);
}

static void write_attribute(hid_t object, const char *name, int32_t value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(object, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Awrite(id, H5T_NATIVE_INT32, &value) >= 0 && H5Aclose(id) >= 0 && H5Sclose(space) >= 0);
}

static void mark_format(hid_t file)
{
    static const char format[] = "rnn-train dataset";
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, sizeof format);
    hid_t id = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Awrite(id, type, format) >= 0 && H5Aclose(id) >= 0);
    ck_assert(H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
    write_attribute(file, "format_version", 1);
}

/* A set of one sequence of symbols, with classes, both of three; names of NULL are left out. Reads its names.
 */
static void read_names(
    enum storage storage, const char *const *symbols, const char *const *classes, struct net_names *names)
{
    static const int32_t offsets[] = {0, 3}, values[] = {0, 1, 2};
    struct error error = {0};
    char path[600];
    snprintf(path, sizeof path, "%s", in_folder("set.h5"));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    mark_format(file);
    write_integers(file, "input_offsets", 2, offsets);
    const char *const sets[] = {"inputs", "targets"}, *const limits[] = {"n_symbols", "n_classes"};
    for (int i = 0; i < 2; i++) {
        write_integers(file, sets[i], 3, values);
        hid_t id = H5Dopen2(file, sets[i], H5P_DEFAULT);
        write_attribute(id, limits[i], 3);
        ck_assert(H5Dclose(id) >= 0);
    }
    if (symbols)
        write_texts(file, "symbol_names", storage, symbols);
    if (classes)
        write_texts(file, "class_names", storage, classes);
    ck_assert(H5Fclose(file) >= 0);
    struct dataset *dataset = dataset_open(path, 0, &error);
    ck_assert_msg(dataset && dataset_read_names(dataset, names, &error) == 0, "%s", error.text);
    dataset_close(dataset);
}

START_TEST(names_are_the_same_however_a_file_stores_strings)
{
    static const char *const symbols[] = {"", "\xe2\x82\xac and more", "12345678901234"};
    struct net_names first = {0}, names = {0};
    struct error error = {0};
    read_names(VARIABLE, symbols, abc, &first);
    read_names((enum storage)_i, symbols, abc, &names);
    for (int i = 0; i < ROWS; i++)
        ck_assert_str_eq(names.list[NAMES_OF_SYMBOLS].text[i], symbols[i]);
    ck_assert_msg(net_names_compare(&first, &names, "FILE", &error) == 0, "%s", error.text);
    ck_assert_ptr_null(names.list[NAMES_OF_FEATURES].text);
    net_names_finish(&first);
    net_names_finish(&names);
}
END_TEST

/* Where strings are padded with blanks, those of a name cannot be told from the padding; elsewhere they can.
 */
START_TEST(blanks_at_the_end_of_a_name_count_unless_they_are_padding)
{
    static const char *const blanks[] = {"a ", "b", "c  "};
    struct net_names names = {0};
    struct error error = {0};
    const struct net_names network = names_of(NAMES_OF_CLASSES, 3, abc);
    read_names((enum storage)_i, NULL, blanks, &names);
    ck_assert_int_eq(net_names_compare(&network, &names, "FILE", &error), _i == SPACE_PADDED ? 0 : -1);
    net_names_finish(&names);
}
END_TEST

START_TEST(lists_that_a_file_has_not_are_missing)
{
    struct net_names names = {0};
    read_names(VARIABLE, NULL, NULL, &names);
    for (int i = 0; i < NAMES_LISTS; i++)
        ck_assert(names.list[i].n == 0 && !names.list[i].text);
    net_names_finish(&names);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *lists = tcase_create("lists");
    tcase_add_test(lists, the_same_names_in_the_same_order_are_accepted);
    tcase_add_test(lists, another_order_is_told_with_both_places);
    tcase_add_test(lists, a_name_that_the_network_has_not_is_told_as_such);
    tcase_add_test(lists, another_number_of_names_is_told_as_such);
    tcase_add_test(lists, names_that_stand_twice_are_compared_row_by_row);
    tcase_add_test(lists, names_are_compared_byte_by_byte);
    tcase_add_test(lists, a_message_cuts_long_names_and_replaces_control_characters);
    tcase_add_test(lists, lists_that_one_has_not_are_warned_of_and_not_compared);
    tcase_add_test(lists, a_warning_of_both_kinds_fits_where_there_is_little_room);
    tcase_add_test(lists, a_network_takes_the_names_that_it_lacks_and_keeps_those_it_has);
    suite_add_tcase(suite, lists);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, folder_make, folder_remove);
    tcase_add_loop_test(files, names_are_the_same_however_a_file_stores_strings, 0, STORAGES);
    tcase_add_loop_test(files, blanks_at_the_end_of_a_name_count_unless_they_are_padding, 0, STORAGES);
    tcase_add_test(files, lists_that_a_file_has_not_are_missing);
    suite_add_tcase(suite, files);
    return suite_run(suite);
}
