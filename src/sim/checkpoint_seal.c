/* SPDX-License-Identifier: BSD-3-Clause */
/* The seal of m5.cpt; see the header. */
#include "sim/checkpoint_seal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/alloc.h"
#include "base/log.h"

#define TABLE_START "\n[" CKPT_CHECKSUMS "]\n"

enum {
    SUM_LEN = 16,
    SUMS_LEN = 3 * (SUM_LEN + 1), /* three sums, each with a space or newline */
    KEY_SUM_LEN = 8, /* enough to find a damage that is known to exist */
};

/* What is summed: all before the last line, and in it the first line and the
 * table, which goes to the end. */
struct parts {
    const char *all, *table, *end;
};

/* Where the sums stand in the last line. */
enum { SUM_ALL = 0, SUM_FIRST = SUM_LEN + 1, SUM_TABLE = 2 * (SUM_LEN + 1) };

void ckpt_checksum(const void *data, size_t len, char text[17])
{
    (void)snprintf(text, SUM_LEN + 1, "%016" PRIx64,
                   (uint64_t)XXH64(data, len, 0));
}

static void find_table(struct parts *parts)
{
    parts->table = memmem(parts->all, (size_t)(parts->end - parts->all),
                          TABLE_START, strlen(TABLE_START));
    if (!parts->table)
        parts->table = parts->end;
}

static void sum_parts(const struct parts *parts, char sums[SUMS_LEN + 1])
{
    size_t len = (size_t)(parts->end - parts->all);
    const char *line_end = memchr(parts->all, '\n', len);

    ckpt_checksum(parts->all, len, sums + SUM_ALL);
    ckpt_checksum(parts->all, line_end ? (size_t)(line_end - parts->all) : len,
                  sums + SUM_FIRST);
    ckpt_checksum(parts->table, (size_t)(parts->end - parts->table),
                  sums + SUM_TABLE);
    sums[SUM_FIRST - 1] = sums[SUM_TABLE - 1] = ' ';
    sums[SUMS_LEN - 1] = '\n';
    sums[SUMS_LEN] = '\0';
}

static void sum_value(const char *value, char sum[KEY_SUM_LEN + 1])
{
    (void)snprintf(sum, KEY_SUM_LEN + 1, "%08" PRIx32,
                   (uint32_t)XXH64(value, strlen(value), 0));
}

/* -------------------------------------------------------------------- sealing
 */

static void write_section(FILE *out, const struct ckpt_section *section)
{
    char sum[KEY_SUM_LEN + 1];

    (void)fprintf(out, "%s=", section->name);
    for (uint32_t i = 0; i < section->num_entries; i++) {
        sum_value(section->entries[i].value, sum);
        (void)fprintf(out, "%s%s:%s", i ? " " : "", section->entries[i].key,
                      sum);
    }
    (void)fputc('\n', out);
}

static char *add_table(const char *text, size_t len, const struct ckpt_ini *ini,
                       size_t *new_len)
{
    char *all;
    FILE *out = open_memstream(&all, new_len);

    if (!out)
        log_exit("out of memory: checkpoint");
    (void)fwrite(text, 1, len, out);
    (void)fputs(TABLE_START, out);
    for (uint32_t i = 0; i < ini->num_sections; i++)
        write_section(out, &ini->sections[i]);
    if (fclose(out))
        log_exit("out of memory: checkpoint");
    return all;
}

char *ckpt_last_line(const char *text, size_t len)
{
    struct parts parts = {.all = text, .end = text + len};
    char sums[SUMS_LEN + 1];

    find_table(&parts);
    sum_parts(&parts, sums);
    return alloc_printf("%s%s", CKPT_LAST_LINE, sums);
}

int ckpt_seal(const char *text, size_t len, char **sealed, char why[256])
{
    struct ckpt_ini ini;
    size_t all_len;
    char *all, *last;

    if (ckpt_ini_split(&ini, text, len, CKPT_INI_STRICT, why))
        return -EINVAL;
    all = add_table(text, len, &ini, &all_len);
    ckpt_ini_fini(&ini);
    last = ckpt_last_line(all, all_len);
    *sealed = alloc_printf("%s%s", all, last);
    mem_free(last);
    mem_free(all);
    return 0;
}

/* ------------------------------------------------------------------ truncated
 */

/* Start of the last line if the text ends in a newline, else NULL. */
static const char *last_line(const char *text, size_t len)
{
    const char *before;

    if (!len || text[len - 1] != '\n')
        return NULL;
    before = memrchr(text, '\n', len - 1);
    return before ? before + 1 : NULL;
}

/* The last section and key of a text that ends too early. */
static void tell_end(const char *text, size_t len, char place[256])
{
    char *copy = alloc_zeroed(len + 1, 1);
    char *rest = memcpy(copy, text, len), *line;
    const char *section = NULL, *key = NULL;

    while ((line = strsep(&rest, "\n")) && rest) {
        size_t end = strcspn(line, line[0] == '[' ? "]" : "=");

        if (!line[end])
            continue;
        line[end] = '\0';
        key = line[0] == '[' ? NULL : line;
        section = key ? section : line + 1;
    }
    if (section)
        (void)snprintf(place, 256, "ends in section [%.80s]%s%.60s, ", section,
                       key ? ", key " : "", key ? key : "");
    mem_free(copy);
}

/* Returns: the sums in the last line, or NULL. */
static const char *find_sums(const char *text, size_t len, char why[256])
{
    const char *line = last_line(text, len);
    const size_t prefix = strlen(CKPT_LAST_LINE);
    char place[256] = "";

    if (line && (size_t)(text + len - line) == prefix + SUMS_LEN &&
        !memcmp(line, CKPT_LAST_LINE, prefix))
        return line + prefix;
    tell_end(text, len, place);
    (void)snprintf(why, 256,
                   "%.170swithout a checksum: truncated, or not written by "
                   "this simulator",
                   place);
    return NULL;
}

/* --------------------------------------------------------------------- damage
 */

enum word_state { WORD_SOUND, WORD_CHANGED, WORD_MISSING };

/* How the section's key looks beside @word, "key:sum" of the table. */
static enum word_state check_word(struct ckpt_section *section,
                                  const char *word, size_t len, char place[200])
{
    size_t key_len = len > KEY_SUM_LEN ? len - KEY_SUM_LEN - 1 : len;
    char *key = alloc_printf("%.*s", (int)key_len, word);
    const char *value = ckpt_section_value(section, key);
    char sum[KEY_SUM_LEN + 1];
    char *want;
    bool is_same;

    (void)snprintf(place, 200, "section [%.80s], key %.60s%s", section->name,
                   key, value ? "" : ": missing");
    sum_value(value ? value : "", sum);
    want = alloc_printf("%s:%s", key, sum);
    is_same = strlen(want) == len && !memcmp(want, word, len);
    mem_free(want);
    mem_free(key);
    if (!value)
        return WORD_MISSING;
    return is_same ? WORD_SOUND : WORD_CHANGED;
}

/* Whether a key of the section is in the state @wanted. */
static bool find_word(struct ckpt_section *section, const char *words,
                      enum word_state wanted, char place[200])
{
    size_t len;

    for (; *words; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        if (check_word(section, words, len, place) == wanted)
            return true;
    }
    return false;
}

static uint32_t count_words(const char *words)
{
    uint32_t count = *words ? 1 : 0;

    while ((words = strchr(words, ' '))) {
        words++;
        count++;
    }
    return count;
}

/* Whether @section is what its row of the table, @words, tells.  A key can be
 * missing because the end of the line before is damaged: changes come first. */
static bool is_section_sound(struct ckpt_section *section, const char *words,
                             char place[200])
{
    if (find_word(section, words, WORD_CHANGED, place) ||
        find_word(section, words, WORD_MISSING, place))
        return false;
    (void)snprintf(place, 200, "section [%.80s]: has more keys than were saved",
                   section->name);
    return count_words(words) == section->num_entries;
}

/* Whether there are the sections that the table tells, and no others; @row: the
 * first that is missing.  The keys of a section without a name look like those
 * of the section before, so this must be known before keys are compared. */
static bool are_sections_there(const struct ckpt_ini *ini,
                               struct ckpt_section *table, const char **row,
                               char place[200])
{
    for (uint32_t i = 0; i < table->num_entries; i++) {
        *row = table->entries[i].key;
        (void)snprintf(place, 200, "section [%.80s]: missing", *row);
        if (!ckpt_ini_section(ini, *row))
            return false;
    }
    *row = NULL;
    for (uint32_t i = 0; i < ini->num_sections; i++) {
        const char *name = ini->sections[i].name;

        (void)snprintf(place, 200, "section [%.80s]: was not saved", name);
        if (&ini->sections[i] != table && !ckpt_section_value(table, name))
            return false;
    }
    return true;
}

/* @row: the first whose section is not as the table tells. */
static bool are_sections_sound(const struct ckpt_ini *ini,
                               struct ckpt_section *table, const char **row,
                               char place[200])
{
    if (!are_sections_there(ini, table, row, place))
        return false;
    for (uint32_t i = 0; i < table->num_entries; i++) {
        const struct ckpt_entry *entry = &table->entries[i];

        *row = entry->key;
        if (!is_section_sound(ckpt_ini_section(ini, *row), entry->value, place))
            return false;
    }
    *row = NULL;
    return true;
}

static void find_damage(const struct parts *parts, const char *wrong,
                        const char *sums, char place[200])
{
    struct ckpt_ini ini;
    struct ckpt_section *table;
    const char *row = NULL;
    bool is_sound = false;
    char why[256];

    if (ckpt_ini_split(&ini, parts->all, (size_t)(parts->end - parts->all),
                       CKPT_INI_LENIENT, why))
        return;
    table = ckpt_ini_section(&ini, CKPT_CHECKSUMS);
    if (!table)
        (void)snprintf(place, 200, "section [%s]: missing", CKPT_CHECKSUMS);
    else
        is_sound = are_sections_sound(&ini, table, &row, place);
    if (table && memcmp(wrong + SUM_TABLE, sums + SUM_TABLE, SUM_LEN) != 0)
        (void)snprintf(place, 200, "section [%s]%s%.80s", CKPT_CHECKSUMS,
                       row ? ", key " : "", row ? row : "");
    else if (is_sound)
        (void)snprintf(place, 200, "between the sections or in the last line");
    ckpt_ini_fini(&ini);
}

/* @wrong: the sums that stand in the text, @sums: those of the text. */
static void tell_damage(const struct parts *parts, const char *wrong,
                        const char *sums, char why[256])
{
    char place[200] = "";

    if (!memcmp(wrong + SUM_ALL, sums + SUM_ALL, SUM_LEN))
        (void)snprintf(place, sizeof(place), "the last line");
    else if (memcmp(wrong + SUM_FIRST, sums + SUM_FIRST, SUM_LEN) != 0)
        (void)snprintf(place, sizeof(place), "the first line");
    else
        find_damage(parts, wrong, sums, place);
    (void)snprintf(why, 256,
                   "the checksum does not match: damaged or edited: %s", place);
}

int ckpt_unseal(struct ckpt_ini *ini, const char *text, size_t len,
                char why[256])
{
    const char *sealed = find_sums(text, len, why);
    char sums[SUMS_LEN + 1];
    struct parts parts;

    if (!sealed)
        return -EINVAL;
    parts.all = text;
    parts.end = sealed - strlen(CKPT_LAST_LINE);
    find_table(&parts);
    sum_parts(&parts, sums);
    if (memcmp(sealed, sums, SUMS_LEN) != 0) {
        tell_damage(&parts, sealed, sums, why);
        return -EINVAL;
    }
    return ckpt_ini_split(ini, text, (size_t)(parts.table - text),
                          CKPT_INI_STRICT, why);
}
