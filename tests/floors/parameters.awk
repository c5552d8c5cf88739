# Reads bare C as "FILE:LINE:text" and prints the functions and pointers to functions that are defined or declared with
# more than `limit` parameters. What is called is told from what is declared by the words in the parentheses: each
# parameter of a declaration is a type and a name.
function check(name, list, place,    i, c, depth, commas, text, parts, number, first) {
    text = ""
    for (i = 1; i <= length(list); i++) {
        c = substr(list, i, 1)
        depth += (c == "(") - (c == ")")
        text = text (c == "," && depth == 0 ? "\n" : c)
    }
    number = split(text, parts, /\n/)
    if (number <= limit)
        return
    for (i = 1; i <= number; i++)
        if (parts[i] !~ /^[ ]*[a-z_][a-z_0-9]* [a-z_0-9 ]*[*]* *[a-zA-Z_(]/ && parts[i] !~ /^[ ]*[a-z_0-9 ]+[*]+/)
            return
    print place ": " name " takes " number " parameters, more than " limit
}

# Takes the parentheses that begin in `text` at `at`; "" when they do not end yet.
function parentheses(text, at,    i, c, depth) {
    for (i = at; i <= length(text); i++) {
        c = substr(text, i, 1)
        depth += (c == "(") - (c == ")")
        if (depth == 0)
            return substr(text, at + 1, i - at - 1)
    }
    return ""
}

$1 != file {
    file = $1
    statement = ""
}
$3 ~ /^ *#/ || $3 ~ /\\$/ {
    next
}
{
    if (statement ~ /^ *$/)
        place = $1 ":" $2
    statement = statement " " $3
    if ($3 !~ /[;{}] *$/)
        next
    rest = statement
    statement = ""
    while (match(rest, /([a-z_][a-z_0-9]*|\(\*[a-z_][a-z_0-9]*\)) *\(/)) {
        name = substr(rest, RSTART, RLENGTH - 1)
        at = RSTART + RLENGTH - 1
        list = parentheses(rest, at)
        # "int (*name)(...)": the name of the pointer comes next.
        pointer = list ~ /^\*/
        if (!pointer)
            check(name, list, place)
        rest = substr(rest, at + !pointer)
    }
}
