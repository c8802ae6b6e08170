/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command m5, for scripts inside a simulated system:
 *
 *   m5 [--inst | --addr [ADDRESS]] COMMAND [ARGUMENT...]
 *
 * Without an option it uses the window of addresses, which works under every
 * CPU model.  Commands and arguments are gem5's; see `commands` below.
 */
#include <gem5/m5_mmap.h>
#include <gem5/m5ops.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 65536, MAX_ARGS = 6 };

/* One way to ask. */
struct ops {
#define M5OP(name, func) __typeof__(name) *name;
    M5OP_FOREACH
#undef M5OP
};

static const struct ops by_instruction = {
#define M5OP(name, func) .name = (name),
    M5OP_FOREACH
#undef M5OP
};

static const struct ops by_address = {
#define M5OP(name, func) .name = M5OP_MERGE_TOKENS(name, _addr),
    M5OP_FOREACH
#undef M5OP
};

struct arguments {
    const struct ops *m5;
    int count;
    char **text;
    uint64_t value[MAX_ARGS]; /* the same as numbers; 0 where there are none */
};

static int run_exit(const struct arguments *args)
{
    args->m5->m5_exit(args->value[0]);
    return 0;
}

static int run_fail(const struct arguments *args)
{
    args->m5->m5_fail(args->value[1], args->value[0]);
    return 0;
}

static int run_checkpoint(const struct arguments *args)
{
    args->m5->m5_checkpoint(args->value[0], args->value[1]);
    return 0;
}

static int run_resetstats(const struct arguments *args)
{
    args->m5->m5_reset_stats(args->value[0], args->value[1]);
    return 0;
}

static int run_dumpstats(const struct arguments *args)
{
    args->m5->m5_dump_stats(args->value[0], args->value[1]);
    return 0;
}

static int run_dumpresetstats(const struct arguments *args)
{
    args->m5->m5_dump_reset_stats(args->value[0], args->value[1]);
    return 0;
}

static int run_switchcpu(const struct arguments *args)
{
    args->m5->m5_switch_cpu();
    return 0;
}

static int run_workbegin(const struct arguments *args)
{
    args->m5->m5_work_begin(args->value[0], args->value[1]);
    return 0;
}

static int run_workend(const struct arguments *args)
{
    args->m5->m5_work_end(args->value[0], args->value[1]);
    return 0;
}

static int run_sum(const struct arguments *args)
{
    const uint64_t *v = args->value;

    (void)printf("Sum is %u.\n",
                 args->m5->m5_sum((unsigned)v[0], (unsigned)v[1],
                                  (unsigned)v[2], (unsigned)v[3],
                                  (unsigned)v[4], (unsigned)v[5]));
    return 0;
}

static int run_initparam(const struct arguments *args)
{
    uint64_t key[2] = {0, 0};

    if (args->count && strlen(args->text[0]) > sizeof key) {
        (void)fprintf(stderr, "m5: a key has up to 16 characters\n");
        return 1;
    }
    if (args->count)
        memcpy(key, args->text[0], strlen(args->text[0]));
    (void)printf("%" PRIu64, args->m5->m5_init_param(key[0], key[1]));
    return 0;
}

static int run_loadsymbol(const struct arguments *args)
{
    args->m5->m5_load_symbol();
    return 0;
}

static int run_addsymbol(const struct arguments *args)
{
    args->m5->m5_add_symbol(args->value[0], args->text[1]);
    return 0;
}

static int write_all(const char *data, uint64_t len)
{
    while (len) {
        ssize_t put = write(STDOUT_FILENO, data, len);

        if (put < 0) {
            perror("m5: standard output");
            return 1;
        }
        data += put;
        len -= (uint64_t)put;
    }
    return 0;
}

/* The pages must be there: whoever executes the operation cannot fault. */
static int run_readfile(const struct arguments *args)
{
    static char buffer[BUFFER];
    uint64_t offset = 0, got;

    memset(buffer, 0, sizeof buffer);
    while ((got = args->m5->m5_read_file(buffer, sizeof buffer, offset))) {
        if (write_all(buffer, got))
            return 1;
        offset += got;
    }
    return 0;
}

static int copy_file(const struct arguments *args, FILE *file, const char *name)
{
    static char buffer[BUFFER];
    uint64_t offset = 0, got;

    while ((got = fread(buffer, 1, sizeof buffer, file)) || !offset) {
        if (args->m5->m5_write_file(buffer, got, offset, name) != got) {
            (void)fprintf(stderr, "m5: the simulator refuses %s\n", name);
            return 1;
        }
        offset += got;
        if (!got)
            break;
    }
    (void)fprintf(stderr, "Wrote %" PRIu64 " bytes.\n", offset);
    return 0;
}

static int run_writefile(const struct arguments *args)
{
    FILE *file = fopen(args->text[0], "rbe");
    int status;

    if (!file) {
        (void)fprintf(stderr, "m5: %s: %s\n", args->text[0], strerror(errno));
        return 1;
    }
    status = copy_file(args, file, args->text[args->count - 1]);
    (void)fclose(file);
    return status;
}

/* What each argument is: n a number, s a text; behind | it may be missing. */
static const struct command {
    const char *name, *args, *usage;
    int (*run)(const struct arguments *args);
} commands[] = {
    {"addsymbol",      "ns",      "ADDRESS SYMBOL",      run_addsymbol     },
    {"checkpoint",     "|nn",     "[DELAY [PERIOD]]",    run_checkpoint    },
    {"dumpresetstats", "|nn",     "[DELAY [PERIOD]]",    run_dumpresetstats},
    {"dumpstats",      "|nn",     "[DELAY [PERIOD]]",    run_dumpstats     },
    {"exit",           "|n",      "[DELAY]",             run_exit          },
    {"fail",           "n|n",     "CODE [DELAY]",        run_fail          },
    {"initparam",      "|s",      "[KEY]",               run_initparam     },
    {"loadsymbol",     "",        "",                    run_loadsymbol    },
    {"readfile",       "",        "",                    run_readfile      },
    {"resetstats",     "|nn",     "[DELAY [PERIOD]]",    run_resetstats    },
    {"sum",            "nn|nnnn", "A B [C [D [E [F]]]]", run_sum           },
    {"switchcpu",      "",        "",                    run_switchcpu     },
    {"workbegin",      "|nn",     "[WORK [THREAD]]",     run_workbegin     },
    {"workend",        "|nn",     "[WORK [THREAD]]",     run_workend       },
    {"writefile",      "s|s",     "FILE [HOST-FILE]",    run_writefile     },
};

static int usage(const char *problem)
{
    (void)fprintf(stderr, "m5: %s\n", problem);
    (void)fprintf(stderr,
                  "usage: m5 [--inst | --addr [ADDRESS]] COMMAND [ARGUMENT...]"
                  "\n\nTimes are nanoseconds.  Commands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        (void)fprintf(stderr, "    %s %s\n", commands[i].name,
                      commands[i].usage);
    return 1;
}

/* Returns: whether all of @text is a number. */
static int parse_number(const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    return *text && !*end && !errno;
}

/* Returns: whether the arguments are what @kinds asks for. */
static int parse(struct arguments *args, const char *kinds)
{
    int is_optional = 0, i = 0;

    for (; *kinds; kinds++) {
        if (*kinds == '|') {
            is_optional = 1;
            continue;
        }
        if (i == args->count)
            return is_optional;
        if (*kinds == 'n' && !parse_number(args->text[i], &args->value[i]))
            return 0;
        i++;
    }
    return i == args->count;
}

static int run(struct arguments *args, const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        return parse(args, commands[i].args) ? commands[i].run(args)
                                             : usage("wrong arguments");
    }
    return usage("there is no such command");
}

int main(int argc, char **argv)
{
    struct arguments args = {.m5 = &by_address};
    int next = 1;

    if (next < argc && !strcmp(argv[next], "--inst")) {
        args.m5 = &by_instruction;
        next++;
    } else if (next < argc && !strncmp(argv[next], "--addr", 6)) {
        const char *addr = argv[next][6] == '=' ? argv[next] + 7 : NULL;

        next++;
        if (addr && !parse_number(addr, &m5op_addr))
            return usage("that is no address");
        if (!addr && next < argc && parse_number(argv[next], &m5op_addr))
            next++;
        else if (!addr)
            m5op_addr = 0xffff0000;
    }
    if (next >= argc)
        return usage("a command is missing");
    if (args.m5 == &by_address)
        map_m5_mem();
    args.count = argc - next - 1;
    args.text = argv + next + 1;
    return run(&args, argv[next]);
}
