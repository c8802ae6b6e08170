%{
#include <stdio.h>
int yylex(void);
void yyerror(const char *text);
%}
%token NUMBER
%left '+' '-'
%left '*' '/'
%%
input: %empty | input line;
line: '\n' | sum '\n' { printf("%d\n", $1); };
sum: NUMBER | sum '+' sum { $$ = $1 + $3; } | sum '-' sum { $$ = $1 - $3; }
    | sum '*' sum { $$ = $1 * $3; } | '(' sum ')' { $$ = $2; };
%%
