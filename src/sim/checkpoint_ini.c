/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of m5.cpt; see the header. */
#include "sim/checkpoint_ini.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/alloc.h"
#include "base/log.h"

enum { CHECKSUM_LEN = 16 };

struct parser {
    struct ckpt_ini *ini;
    unsigned int line; /* from 1 */
    char *why;
};

void ckpt_checksum(const void *data, size_t len, char text[17])
{
    (void)snprintf(text, CHECKSUM_LEN + 1, "%016" PRIx64,
                   (uint64_t)XXH64(data, len, 0));
}

/* ---------------------------------------------------------- the whole text */

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

/* Returns: length of what stands before the checksum line, 0 if there is no
 * such line. */
static size_t check_last_line(struct ckpt_ini *ini, const char *text,
                              size_t len, char why[256])
{
    const char *line = last_line(text, len);
    size_t prefix = strlen(CKPT_LAST_LINE);
    char sum[CHECKSUM_LEN + 1];
    char place[256] = "";
    size_t body;

    if (!line || (size_t)(text + len - line) != prefix + CHECKSUM_LEN + 1 ||
        memcmp(line, CKPT_LAST_LINE, prefix) != 0) {
        tell_end(text, len, place);
        (void)snprintf(why, 256,
                       "%.170swithout a checksum: truncated, or not written "
                       "by this simulator",
                       place);
        return 0;
    }
    body = (size_t)(line - text);
    ckpt_checksum(text, body, sum);
    ini->is_damaged = memcmp(line + prefix, sum, CHECKSUM_LEN) != 0;
    return body;
}

static int check_first_line(const char *text, size_t len, char why[256])
{
    size_t prefix = strlen(CKPT_FIRST_LINE);

    if (len >= prefix && !memcmp(text, CKPT_FIRST_LINE, prefix))
        return 0;
    (void)snprintf(why, 256, "the first line is not \"%s...\"",
                   CKPT_FIRST_LINE);
    return -EINVAL;
}

/* -------------------------------------------------------------- line by line
 */

static int bad_line(const struct parser *p, const char *what)
{
    (void)snprintf(p->why, 256, "line %u: %s", p->line, what);
    return -EINVAL;
}

static int add_section(struct parser *p, char *line, size_t len)
{
    struct ckpt_ini *ini = p->ini;

    if (len < 3 || line[len - 1] != ']')
        return bad_line(p, "a section without name or bracket");
    line[len - 1] = '\0';
    if (!(ini->num_sections & (ini->num_sections - 1))) /* powers of two */
        ini->sections = alloc_resize(
            ini->sections, ini->num_sections ? 2 * ini->num_sections : 1,
            sizeof(*ini->sections));
    ini->sections[ini->num_sections++] =
        (struct ckpt_section){.name = line + 1};
    return 0;
}

static int add_entry(struct parser *p, char *line)
{
    char *equals = strchr(line, '=');
    struct ckpt_section *section;

    if (!p->ini->num_sections)
        return bad_line(p, "a key outside a section");
    if (!equals || equals == line)
        return bad_line(p, "not of the form key=value");
    *equals = '\0';
    section = &p->ini->sections[p->ini->num_sections - 1];
    if (!(section->num_entries & (section->num_entries - 1)))
        section->entries =
            alloc_resize(section->entries,
                         section->num_entries ? 2 * section->num_entries : 1,
                         sizeof(*section->entries));
    section->entries[section->num_entries++] =
        (struct ckpt_entry){.key = line, .value = equals + 1};
    return 0;
}

static int parse_lines(struct parser *p, char *text)
{
    char *line = strchr(text, '\n') + 1; /* the date */
    int err = 0;

    for (p->line = 2; *line && !err; p->line++) {
        char *end = strchr(line, '\n');

        *end = '\0';
        if (line[0] == '[')
            err = add_section(p, line, (size_t)(end - line));
        else if (line[0])
            err = add_entry(p, line);
        line = end + 1;
    }
    return err;
}

/* --------------------------------------------------- sorting and duplicates */

static int compare_sections(const void *a, const void *b)
{
    const struct ckpt_section *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static int compare_entries(const void *a, const void *b)
{
    const struct ckpt_entry *left = a, *right = b;

    return strcmp(left->key, right->key);
}

static int sort_entries(struct ckpt_section *section, char why[256])
{
    if (section->num_entries)
        qsort(section->entries, section->num_entries, sizeof(*section->entries),
              compare_entries);
    for (uint32_t i = 1; i < section->num_entries; i++) {
        if (strcmp(section->entries[i - 1].key, section->entries[i].key) != 0)
            continue;
        (void)snprintf(why, 256, "section [%.100s], key %.80s: given twice",
                       section->name, section->entries[i].key);
        return -EINVAL;
    }
    return 0;
}

static int sort_sections(struct ckpt_ini *ini, char why[256])
{
    if (ini->num_sections)
        qsort(ini->sections, ini->num_sections, sizeof(*ini->sections),
              compare_sections);
    for (uint32_t i = 0; i < ini->num_sections; i++) {
        int err = sort_entries(&ini->sections[i], why);

        if (err)
            return err;
        if (!i || strcmp(ini->sections[i - 1].name, ini->sections[i].name) != 0)
            continue;
        (void)snprintf(why, 256, "section [%.100s]: given twice",
                       ini->sections[i].name);
        return -EINVAL;
    }
    return 0;
}

/* ------------------------------------------------------------------ interface
 */

int ckpt_ini_parse(struct ckpt_ini *ini, const char *text, size_t len,
                   char why[256])
{
    struct parser parser = {ini, 1, why};
    size_t body;
    int err;

    memset(ini, 0, sizeof(*ini));
    body = check_last_line(ini, text, len, why);
    if (!body || check_first_line(text, body, why))
        return -EINVAL;
    if (memchr(text, '\0', body)) {
        (void)snprintf(why, 256, "holds a zero byte: not a text");
        return -EINVAL;
    }
    ini->text = alloc_zeroed(body + 1, 1);
    memcpy(ini->text, text, body);
    err = parse_lines(&parser, ini->text);
    if (!err)
        err = sort_sections(ini, why);
    if (err)
        ckpt_ini_fini(ini);
    return err;
}

void ckpt_ini_fini(struct ckpt_ini *ini)
{
    for (uint32_t i = 0; i < ini->num_sections; i++)
        mem_free(ini->sections[i].entries);
    mem_free(ini->sections);
    mem_free(ini->text);
    memset(ini, 0, sizeof(*ini));
}

struct ckpt_section *ckpt_ini_section(const struct ckpt_ini *ini,
                                      const char *name)
{
    const struct ckpt_section wanted = {.name = name};

    if (!ini->num_sections)
        return NULL;
    return bsearch(&wanted, ini->sections, ini->num_sections,
                   sizeof(*ini->sections), compare_sections);
}

const char *ckpt_section_value(struct ckpt_section *section, const char *key)
{
    const struct ckpt_entry wanted = {.key = key};
    struct ckpt_entry *entry = NULL;

    if (section->num_entries)
        entry = bsearch(&wanted, section->entries, section->num_entries,
                        sizeof(*section->entries), compare_entries);
    if (!entry)
        return NULL;
    entry->is_used = true;
    return entry->value;
}
