/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of m5.cpt: a first line "## checkpoint generated: DATE", sections
 * "[name]" of "key=value" lines, and a last line with the checksum of all that
 * stands before it.  Reading is strict: anything else is refused.
 */
#ifndef SIM_CHECKPOINT_INI_H
#define SIM_CHECKPOINT_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CKPT_FIRST_LINE "## checkpoint generated: "
#define CKPT_LAST_LINE  "## checksum: xxh64 "

struct ckpt_entry {
    const char *key, *value;
    bool is_used; /* somebody has asked for it */
};

struct ckpt_section {
    const char *name;
    struct ckpt_entry *entries; /* sorted by key */
    uint32_t num_entries;
    bool is_used;
};

struct ckpt_ini {
    char *text;                    /* the strings point into it */
    struct ckpt_section *sections; /* sorted by name */
    uint32_t num_sections;
    bool is_damaged; /* the checksum does not match */
};

/** ckpt_checksum() - of bytes, as it stands in the file (16 hex digits). */
void ckpt_checksum(const void *data, size_t len, char text[17]);

/**
 * ckpt_ini_parse() - check and split a text
 * @text: copied
 * @why:  on failure, the reason with section, key or line
 *
 * A text whose checksum does not match is split, too, and marked: what is wrong
 * in it can then be told.  Nothing may be loaded from it.
 *
 * Returns: 0 or -EINVAL (nothing needs to be freed).
 */
SIM_MUST_CHECK int ckpt_ini_parse(struct ckpt_ini *ini, const char *text,
                                  size_t len, char why[256]);
void ckpt_ini_fini(struct ckpt_ini *ini);

/** ckpt_ini_section() - by name, or NULL. */
struct ckpt_section *ckpt_ini_section(const struct ckpt_ini *ini,
                                      const char *name);
/** ckpt_section_value() - value of a key, marked as used, or NULL. */
const char *ckpt_section_value(struct ckpt_section *section, const char *key);

#ifdef __cplusplus
}
#endif

#endif
