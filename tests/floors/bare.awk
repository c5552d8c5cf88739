# Prints each line of C as "FILE:LINE:text", without comments and without what stands in quotes.
FNR == 1 {
    in_comment = 0
}
{
    rest = $0
    text = ""
    while (rest != "") {
        if (in_comment) {
            at = index(rest, "*/")
            in_comment = !at
            rest = at ? substr(rest, at + 2) : ""
        } else if (!match(rest, /\/\*|\/\/|"|'/)) {
            text = text rest
            rest = ""
        } else {
            text = text substr(rest, 1, RSTART - 1)
            mark = substr(rest, RSTART, RLENGTH)
            rest = substr(rest, RSTART + RLENGTH)
            if (mark == "/*")
                in_comment = 1
            else if (mark == "//")
                rest = ""
            else if ((mark == "\"" && match(rest, /^([^"\\]|\\.)*"/)) ||
                (mark == "'" && match(rest, /^([^'\\]|\\.)*'/))) {
                text = text mark mark
                rest = substr(rest, RLENGTH + 1)
            }
        }
    }
    gsub(/:/, " ", text)
    print FILENAME ":" FNR ":" text
}
