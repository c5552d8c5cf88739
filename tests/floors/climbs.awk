# Reads "FILE:LINE:INCLUDED" and prints the included files of our own that are not there or that a floor must not see.
# table: "FLOOR=FOUNDATION,... ...", foundations before what is built on them. files: all there are.
BEGIN {
    count = split(files, list, /[ \n]+/)
    for (i = 1; i <= count; i++)
        there[list[i]] = 1
    floors = split(table, rows, / +/)
    for (i = 1; i <= floors; i++) {
        split(rows[i], row, /=/)
        floor = row[1]
        known[floor] = sees[floor, floor] = 1
        number = split(row[2], foundations, /,/)
        for (j = 1; j <= number; j++)
            for (below in known)
                if ((foundations[j], below) in sees)
                    sees[floor, below] = 1
    }
}
$3 ~ /^"/ {
    name = substr($3, 2, length($3) - 2)
    own = $1
    sub(/\/.*/, "", own)
    other = name
    sub(/\/.*/, "", other)
    if (!(own in known))
        print $1 ":" $2 ": the folder " own " is no floor"
    else if (!(name in there))
        print $1 ":" $2 ": there is no file " name " (files are included as \"floor/file.h\")"
    else if (!((own, other) in sees))
        print $1 ":" $2 ": " own " does not build on " other ", and includes " name
}
