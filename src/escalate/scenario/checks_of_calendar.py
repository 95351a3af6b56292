"""Checks of days: weekdays, meetings, closures, reviews, and what the unit can do at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .calendar import Calendar
from .checking import Checks, Complaint, Path, last_window, less_than, treated
from .open_days import OpenDays
from .protocol import EVERY_DAY, DoseLevel, Safety, Treatment, TrialSection, schedule_of
from .resources import Capacity, Product, Store
from .rules import (
    RuleOptions,
    decides_early,
)

check = Checks()


@check("trial", "dose_levels", "treatment", "safety")
def _everybody_can_come_in_time(
    trial: TrialSection, dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    for each in treated(dose_levels, treatment, safety):
        lead = each.schedule.lead_days
        if lead >= trial.max_days:
            told = f"{less_than(trial)}: {treatment.say('nobody would be infused')}"
            own = dose_levels[each.level].lymphodepletion is not None
            path: Path = ("dose_levels", each.level) if own else ("treatment",)
            yield (*path, "lymphodepletion"), -lead, told


@check("trial", "dose_levels", "treatment", "safety")
def _days_are_possible(
    trial: TrialSection, dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    for key in ("sentinel_stagger_days", "stagger_days", "review_delay_days"):
        value = getattr(safety, key)
        if value >= trial.max_days:
            yield ("safety", key), value, f"must be less than trial.max_days, which is {trial.max_days}"
    last = last_window(dose_levels, treatment, safety)
    end = last.schedule.window_end
    if end >= trial.max_days:
        yield (
            ("safety", "dlt_window_days"),
            safety.dlt_window_days,
            f"the DLT window ends {end} days after the {treatment.say('first infusion')}"
            f"{last.here}, and must end before trial.max_days, which is {trial.max_days}",
        )


@check("dose_levels", "treatment", "safety")
def _later_infusions_exist(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    withholds = safety.later_infusions_at_closed_level == "withhold"
    if withholds and not any(each.schedule.last_infusion_day for each in treated(dose_levels, treatment, safety)):
        told = f"has no effect: {treatment.say('there is one infusion')}; leave it out"
        yield ("safety", "later_infusions_at_closed_level"), "withhold", told


@check("dose_levels", "treatment", "safety")
def _weekdays_have_a_use(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    schedules = [each.schedule for each in treated(dose_levels, treatment, safety)]
    what = {
        "lymphodepletion_weekdays": (any(each.lead_days for each in schedules), "there is no lymphodepletion"),
        "later_infusion_weekdays": (any(each.last_infusion_day for each in schedules), "there is one infusion"),
    }
    for key, (is_used, why) in what.items():
        if not is_used and getattr(treatment, key) != EVERY_DAY:
            yield (
                ("treatment", key),
                list(getattr(treatment, key)),
                f"has no effect: {treatment.say(why)}; leave it out",
            )


@check("safety", "rule")
def _reviews_have_a_use(safety: Safety, rule: RuleOptions) -> Iterator[Complaint]:
    early = decides_early(rule) if safety.early_decision is None else safety.early_decision
    if safety.urgent_review_days is not None and not early and safety.after_sentinel_dlt == "go_on":
        yield (
            ("safety", "urgent_review_days"),
            safety.urgent_review_days,
            "has no effect: no data cut comes early, and no sentinel's DLT is looked at; set early_decision = true or "
            'after_sentinel_dlt = "review", or leave it out',
        )


@check("dose_levels", "treatment", "safety")
def _lead_has_a_use(dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety) -> Iterator[Complaint]:
    lymphodepletes = any(each.schedule.lead_days for each in treated(dose_levels, treatment, safety))
    if not safety.lymphodepletion_in_stagger and not lymphodepletes:
        told = "has no effect: there is no lymphodepletion; leave it out"
        yield ("safety", "lymphodepletion_in_stagger"), False, told


@check("safety")
def _meeting_weeks_have_a_use(safety: Safety) -> Iterator[Complaint]:
    if safety.meeting_dates and (safety.meeting_weeks or safety.meeting_weekdays != EVERY_DAY):
        key = "meeting_weeks" if safety.meeting_weeks else "meeting_weekdays"
        told = "the committee meets on meeting_dates alone; leave one of the two out"
        yield ("safety", key), list(getattr(safety, key)), f"has no effect: {told}"


@check("trial", "dose_levels", "treatment", "safety", "calendar")
def _days_are_open(
    trial: TrialSection,
    dose_levels: tuple[DoseLevel, ...],
    treatment: Treatment,
    safety: Safety,
    calendar: Calendar,
) -> Iterator[Complaint]:
    """Refuse calendars on which nothing could ever happen."""
    schedules = [schedule_of(own, treatment, safety) for own in dose_levels]
    days = OpenDays(trial, treatment, safety, calendar, schedules)
    in_time = f"in the {trial.max_days:,} days of trial.max_days"
    closed, reasons = ("calendar", "closed"), [closure.reason for closure in calendar.closed]
    for each in treated(dose_levels, treatment, safety):
        if days.by_weekday[each.level][0] == days.limit:
            yield (
                ("treatment", "weekdays"),
                list(treatment.weekdays),
                f"no treatment can begin{each.here}: its days that are bound to weekdays, "
                f"{days.visits_words(each.level)}, never fall on lymphodepletion_weekdays, weekdays and "
                "later_infusion_weekdays at once",
            )
        elif _first_together(days, each.level) == days.limit:
            no_treatment = treatment.say("no treatment can begin")
            told = treatment.say("lymphodepletion or an infusion would fall on a closed day")
            yield closed, reasons, f"{no_treatment}{each.here}: {told}, whenever it began {in_time}"
    if days.committee[0] == days.limit:
        by_weeks = "meeting_weeks" if safety.meeting_weeks else "meeting_weekdays"
        key = "meeting_dates" if safety.meeting_dates else by_weeks
        told = f"the committee never meets on an open day {in_time}"
        yield ("safety", key), [str(each) for each in getattr(safety, key)], told
    for what, opens in (("consent", days.consent), ("screening", days.screening)):
        if opens[0] == days.limit:
            told = f"{what} is closed on all days {in_time}: nobody would ever be treated"
            yield closed, reasons, told


def _first_together(days: OpenDays, level: int) -> int:
    """Return the first day on which a treatment at a level may begin, by weekdays and closures."""
    day, before = 0, -1
    while day != before and day < days.limit:
        before = day
        day = int(days.by_weekday[level][day])
        day = int(days.by_closure[level][day]) if day < days.limit else day
    return day


@check("dose_levels", "treatment", "safety", "capacity")
def _a_week_has_room(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety, capacity: Capacity | None
) -> Iterator[Complaint]:
    """Refuse a unit that cannot treat one patient alone."""
    if capacity is None or capacity.infusions_per_week is None:
        return
    for each in treated(dose_levels, treatment, safety):
        weeks = ([(first + day) // 7 for day in each.schedule.infusion_days] for first in range(7))
        most = min(max(Counter(of_a_patient).values()) for of_a_patient in weeks)
        if most > capacity.infusions_per_week:
            who = f"one patient{each.here}"
            told = f"{who} has {most} infusions in a week, from whatever weekday on: nobody could be treated"
            yield ("capacity", "infusions_per_week"), capacity.infusions_per_week, treatment.say(told)


@check("trial", "product")
def _there_are_doses(trial: TrialSection, product: Product | None) -> Iterator[Complaint]:
    """Refuse a product of which nobody would ever have a dose."""
    if not isinstance(product, Store) or product.doses_at_start:
        return
    if not product.release_days(trial.start_date, trial.max_days):
        key = "batch_dates" if product.batch_dates else "batches_every_days"
        told = (
            f"no batch is released in the {trial.max_days:,} days of trial.max_days, and there is no dose at the start"
        )
        yield ("product", key), getattr(product, key), told
    elif product.batch_failure_probability == 1:
        told = "every batch fails, and there is no dose at the start: nobody could be treated"
        yield ("product", "batch_failure_probability"), 1, told
