# Reads "FILE:LINE:INCLUDED" and prints each circle once: among files, and among the pairs NAME.c and NAME.h.
function base(name) {
    sub(/\.[ch]$/, "", name)
    return name
}

function note(from, to, place) {
    if (from == to)
        return
    if (!(from in degree))
        nodes[++node_count] = from
    edge[from, ++degree[from]] = to
    where[from, degree[from]] = place
}

# Follows the edges from a node; a node that is on the way already closes a circle.
function follow(node, depth,    i, to, j, text) {
    state[node] = 1
    way[depth] = node
    for (i = 1; i <= degree[node]; i++) {
        to = edge[node, i]
        if (state[to] == 1) {
            text = ""
            for (j = depth; way[j] != to; j--)
                text = " -> " way[j] text
            print where[node, i] ": a circle: " to text " -> " to
        } else if (!state[to])
            follow(to, depth + 1)
    }
    state[node] = 2
}

function follow_all(    i) {
    for (i = 1; i <= node_count; i++)
        if (!state[nodes[i]])
            follow(nodes[i], 1)
}

$3 ~ /^"/ {
    from[++lines] = $1
    to[lines] = substr($3, 2, length($3) - 2)
    place[lines] = $1 ":" $2
}

END {
    # The pairs hold the circles of the files too, but one of a file that includes itself.
    for (i = 1; i <= lines; i++) {
        if (from[i] == to[i])
            print place[i] ": a circle: it includes itself"
        note(base(from[i]), base(to[i]), place[i])
    }
    follow_all()
}
