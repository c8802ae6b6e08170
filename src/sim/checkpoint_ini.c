/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of m5.cpt; see the header. */
#include "sim/checkpoint_ini.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct parser {
    struct ckpt_ini *ini;
    enum ckpt_ini_mode mode;
    unsigned int line; /* from 1 */
    char *why;
};

/* -------------------------------------------------------------- line by line
 */

static int bad_line(const struct parser *p, const char *what)
{
    const struct ckpt_ini *ini = p->ini;

    if (p->mode == CKPT_INI_LENIENT)
        return 0;
    if (ini->num_sections)
        (void)snprintf(p->why, 256, "section [%.100s], line %u: %s",
                       ini->sections[ini->num_sections - 1].name, p->line,
                       what);
    else
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

static void sort_sections(struct ckpt_ini *ini)
{
    if (ini->num_sections)
        qsort(ini->sections, ini->num_sections, sizeof(*ini->sections),
              compare_sections);
    for (uint32_t i = 0; i < ini->num_sections; i++) {
        struct ckpt_section *section = &ini->sections[i];

        if (section->num_entries)
            qsort(section->entries, section->num_entries,
                  sizeof(*section->entries), compare_entries);
    }
}

static int check_unique_keys(const struct ckpt_section *section, char why[256])
{
    for (uint32_t i = 1; i < section->num_entries; i++) {
        if (strcmp(section->entries[i - 1].key, section->entries[i].key) != 0)
            continue;
        (void)snprintf(why, 256, "section [%.100s], key %.80s: given twice",
                       section->name, section->entries[i].key);
        return -EINVAL;
    }
    return 0;
}

static int check_unique(const struct ckpt_ini *ini, char why[256])
{
    int err = 0;

    for (uint32_t i = 0; i < ini->num_sections && !err; i++) {
        const struct ckpt_section *section = &ini->sections[i];

        if (i && !strcmp(section[-1].name, section->name)) {
            (void)snprintf(why, 256, "section [%.100s]: given twice",
                           section->name);
            return -EINVAL;
        }
        err = check_unique_keys(section, why);
    }
    return err;
}

/* ------------------------------------------------------------------ interface
 */

static int check_frame(const char *text, size_t len, char why[256])
{
    size_t prefix = strlen(CKPT_FIRST_LINE);

    if (len < prefix || memcmp(text, CKPT_FIRST_LINE, prefix) != 0)
        (void)snprintf(why, 256, "the first line is not \"%s...\"",
                       CKPT_FIRST_LINE);
    else if (text[len - 1] != '\n')
        (void)snprintf(why, 256, "ends within a line");
    else if (memchr(text, '\0', len))
        (void)snprintf(why, 256, "holds a zero byte: not a text");
    else
        return 0;
    return -EINVAL;
}

/* The parser may rely on a newline at the end and on no other zero byte. */
static char *copy_text(const char *text, size_t len)
{
    char *copy = alloc_zeroed(len + 2, 1);

    memcpy(copy, text, len);
    copy[len] = '\n';
    for (char *zero = copy;
         (zero = memchr(zero, '\0', len - (size_t)(zero - copy)));)
        *zero = '\1';
    return copy;
}

int ckpt_ini_split(struct ckpt_ini *ini, const char *text, size_t len,
                   enum ckpt_ini_mode mode, char why[256])
{
    struct parser parser = {ini, mode, 1, why};
    int err;

    memset(ini, 0, sizeof(*ini));
    if (mode == CKPT_INI_STRICT && check_frame(text, len, why))
        return -EINVAL;
    ini->text = copy_text(text, len);
    err = parse_lines(&parser, ini->text);
    sort_sections(ini);
    if (!err && mode == CKPT_INI_STRICT)
        err = check_unique(ini, why);
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
