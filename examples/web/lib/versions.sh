# Versions: three numbers with dots between them.

# is_version TEXT
is_version() {
    case $1 in
        *[!0-9.]* | .* | *. | *..*) return 1 ;;
        *.*.*.*) return 1 ;;
        *.*.*) return 0 ;;
        *) return 1 ;;
    esac
}

# compare_versions A B: prints -1, 0 or 1
compare_versions() {
    _a=$1.
    _b=$2.
    while [ -n "$_a" ]; do
        if [ "${_a%%.*}" -lt "${_b%%.*}" ]; then echo -1; return; fi
        if [ "${_a%%.*}" -gt "${_b%%.*}" ]; then echo 1; return; fi
        _a=${_a#*.}
        _b=${_b#*.}
    done
    echo 0
}

# newest_version: of those on standard input, one to a line
newest_version() {
    _newest=0.0.0
    while IFS= read -r _each; do
        if [ "$(compare_versions "$_each" "$_newest")" = 1 ]; then _newest=$_each; fi
    done
    echo "$_newest"
}
