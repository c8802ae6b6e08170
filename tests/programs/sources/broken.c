// SPDX-License-Identifier: BSD-3-Clause
int main(void)
{
    int x = "text" * 2;
    return y;
}
