/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text in the form of m5.cpt, split: a first line "## checkpoint generated:
 * DATE", then sections "[name]" of "key=value" lines.  The last line, with the
 * checksums, belongs to checkpoint_seal.h.
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
};

enum ckpt_ini_mode {
    CKPT_INI_STRICT,  /* refuse what is not of the form */
    CKPT_INI_LENIENT, /* pass over it: to find out what is damaged */
};

/**
 * ckpt_ini_split() - split a text into sections and keys
 * @text: without the last line; copied
 * @why:  on failure, the reason with section, key or line
 *
 * Returns: 0 or -EINVAL (nothing needs to be freed), the latter never when
 *          lenient.
 */
SIM_MUST_CHECK int ckpt_ini_split(struct ckpt_ini *ini, const char *text,
                                  size_t len, enum ckpt_ini_mode mode,
                                  char why[256]);
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
