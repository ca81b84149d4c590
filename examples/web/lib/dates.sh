# Dates as people read them. No `date -d`: it is not the same on every system.

# is_leap_year YEAR
is_leap_year() {
    [ $(($1 % 4)) -eq 0 ] && { [ $(($1 % 100)) -ne 0 ] || [ $(($1 % 400)) -eq 0 ]; }
}

# days_in_month YEAR MONTH (without leading zero)
days_in_month() {
    case $2 in
        4 | 6 | 9 | 11) echo 30 ;;
        2) if is_leap_year "$1"; then echo 29; else echo 28; fi ;;
        *) echo 31 ;;
    esac
}

# is_date TEXT: whether it is a day of the calendar, written YYYY-MM-DD
is_date() {
    case $1 in
        [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;;
        *) return 1 ;;
    esac
    _year=${1%%-*}
    _month=${1#*-}
    _month=${_month%-*}
    _day=${1##*-}
    _month=${_month#0}
    _day=${_day#0}
    [ "$_month" -ge 1 ] && [ "$_month" -le 12 ] && [ "$_day" -ge 1 ] &&
        [ "$_day" -le "$(days_in_month "$_year" "$_month")" ]
}

# format_date YYYY-MM-DD: for example 5 October 2026
format_date() {
    is_date "$1" || { echo "not a date: $1" >&2; return 1; }
    set -- "$_year" "$_month" "$_day" \
        January February March April May June July August September October November December
    _number=$3
    _of=$1
    shift $(($2 + 2))
    echo "$_number $1 $_of"
}
