. lib/dates.sh

test_formats_a_date_for_people() {
    assert_equals '5 October 2026' "$(format_date 2026-10-05)"
}

test_formats_the_months_that_look_octal() {
    assert_equals '8 August 2026' "$(format_date 2026-08-08)"
    assert_equals '9 September 2026' "$(format_date 2026-09-09)"
}

test_knows_leap_years() {
    is_date 2028-02-29 || fail '2028 is a leap year'
    is_date 2000-02-29 || fail '2000 is a leap year'
    ! is_date 2100-02-29 || fail '2100 is not a leap year'
    ! is_date 2026-02-29 || fail '2026 is not a leap year'
}

test_refuses_days_that_do_not_exist() {
    for day in 2026-00-10 2026-13-01 2026-04-31 2026-01-00 2026-1-1 tomorrow ''; do
        ! is_date "$day" || fail "'$day' is not a date"
    done
}

test_says_what_is_not_a_date() {
    assert_equals 'not a date: 2026-02-30' "$(format_date 2026-02-30 2>&1 || true)"
}
