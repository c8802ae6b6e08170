// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/thunk_arena.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace
{
using Function = int (*)();

// mov eax, imm32; ret
std::vector<uint8_t> returning(uint32_t value)
{
    return {0xb8,
            static_cast<uint8_t>(value),
            static_cast<uint8_t>(value >> 8),
            static_cast<uint8_t>(value >> 16),
            static_cast<uint8_t>(value >> 24),
            0xc3};
}

int call(const void *code)
{
    return reinterpret_cast<Function>(reinterpret_cast<uintptr_t>(code))();
}
} // namespace

TEST(ThunkArena, CodeRunsAndStaysWhereItIs)
{
    x86_arena *arena = x86_arena_create();
    std::vector<Function> functions;

    for (uint32_t i = 0; i < 20000; i++) { // more than one chunk
        const auto code = returning(i);
        const void *at = x86_arena_add(arena, code.data(), code.size());
        ASSERT_NE(at, nullptr);
        functions.push_back(
            reinterpret_cast<Function>(reinterpret_cast<uintptr_t>(at)));
    }
    for (uint32_t i = 0; i < functions.size(); i++)
        ASSERT_EQ(functions[i](), static_cast<int>(i));
    x86_arena_destroy(arena);
}

TEST(ThunkArena, ForkedChildDoesNotTouchItsParentsCode)
{
    x86_arena *arena = x86_arena_create();
    const auto first = returning(1), second = returning(2);
    int status;

    x86_arena_add(arena, first.data(), first.size());
    const pid_t child = fork();
    if (child == 0) {
        const auto other = returning(3);
        const void *at = x86_arena_add(arena, other.data(), other.size());
        _exit(call(at));
    }
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 3);
    const void *at = x86_arena_add(arena, second.data(), second.size());
    EXPECT_EQ(call(at), 2);
    const pid_t later = fork();
    if (later == 0)
        _exit(call(at));
    waitpid(later, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 2);
    x86_arena_destroy(arena);
}

TEST(ThunkArena, NothingIsWritableAndExecutableAtOnce)
{
    x86_arena *arena = x86_arena_create();
    const auto code = returning(1);
    std::string line;

    ASSERT_NE(x86_arena_add(arena, code.data(), code.size()), nullptr);
    std::ifstream maps("/proc/self/maps");
    while (std::getline(maps, line))
        EXPECT_EQ(line.find(" rwx"), std::string::npos) << line;
    x86_arena_destroy(arena);
}
