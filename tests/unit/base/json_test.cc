/* SPDX-License-Identifier: BSD-3-Clause */
/* The JSON writer, character by character. */
#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>

static std::string written(const std::function<void(json *)> &write)
{
    char *text = nullptr;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    json writer;

    json_init(&writer, out, 0);
    write(&writer);
    json_fini(&writer);
    fclose(out);
    std::string all(text, len);
    free(text);
    return all;
}

static std::string number(double value)
{
    return written([=](json *j) { json_f64(j, value); });
}

static std::string quoted(const char *text)
{
    return written([=](json *j) { json_str(j, text); });
}

TEST(Json, NestsObjectsAndArraysOnLines)
{
    EXPECT_EQ(written([](json *j) {
                  json_begin_object(j, JSON_LINES);
                  json_key(j, "a");
                  json_begin_array(j, JSON_LINES);
                  json_u64(j, UINT64_MAX);
                  json_i64(j, INT64_MIN);
                  json_end(j);
                  json_key(j, "b");
                  json_begin_object(j, JSON_LINES);
                  json_end(j);
                  json_end(j);
              }),
              "{\n  \"a\": [\n    18446744073709551615,\n"
              "    -9223372036854775808\n  ],\n  \"b\": {}\n}");
}

TEST(Json, WhatIsInsideAnInlineContainerStaysOnItsLine)
{
    EXPECT_EQ(written([](json *j) {
                  json_begin_object(j, JSON_INLINE);
                  json_key(j, "a");
                  json_begin_array(j, JSON_LINES);
                  json_word(j, JSON_TRUE);
                  json_word(j, JSON_FALSE);
                  json_word(j, JSON_NULL);
                  json_end(j);
                  json_key(j, "b");
                  json_str(j, nullptr);
                  json_end(j);
              }),
              "{\"a\": [true, false, null], \"b\": null}");
}

TEST(Json, EscapesWhatAStringMustNotHold)
{
    EXPECT_EQ(quoted("a\"b\\c\n\t\x01\x7f/"),
              "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f/\"");
}

TEST(Json, KeepsUtf8AndReplacesWhatIsNot)
{
    EXPECT_EQ(quoted("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
              "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"");
    EXPECT_EQ(quoted("\xff"), "\"\\ufffd\"");
    EXPECT_EQ(quoted("\xc3"), "\"\\ufffd\"");
    EXPECT_EQ(quoted("\xc0\x80"), "\"\\ufffd\\ufffd\"");
    EXPECT_EQ(quoted("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
    EXPECT_EQ(quoted("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

TEST(Json, WritesTheShortestFormOfUsualNumbers)
{
    EXPECT_EQ(number(0), "0");
    EXPECT_EQ(number(57467000), "57467000");
    EXPECT_EQ(number(0.1), "0.1");
    EXPECT_EQ(number(-2.5), "-2.5");
    EXPECT_EQ(number(1e300), "1e+300");
}

TEST(Json, WhatIsNotANumberBecomesNull)
{
    EXPECT_EQ(number(NAN), "null");
    EXPECT_EQ(number(INFINITY), "null");
    EXPECT_EQ(number(-INFINITY), "null");
}

TEST(Json, EveryFiniteNumberReadsBackTheSame)
{
    std::mt19937_64 rng(3);

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rng();
        double value;

        memcpy(&value, &bits, sizeof(value));
        if (!std::isfinite(value))
            continue;
        ASSERT_EQ(strtod(number(value).c_str(), nullptr), value);
    }
}

TEST(JsonDeathTest, AnOpenContainerOrAMissingValueIsABug)
{
    EXPECT_DEATH(written([](json *j) { json_begin_object(j, JSON_LINES); }),
                 "assertion failed");
    EXPECT_DEATH(written([](json *j) {
                     json_begin_object(j, JSON_LINES);
                     json_key(j, "a");
                     json_end(j);
                 }),
                 "assertion failed");
}
