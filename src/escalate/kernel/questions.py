"""What the committee is asked, as a row of whole numbers, and how its answer is found again."""

from __future__ import annotations

from .bench import Bench, Numbers, Protocol, Row, Table, Tables
from .codes import FULL, HASH_FACTOR, HEAD, UNKNOWN, WORD_BITS, Ask, Followup, Outcome, Run


def write_counts(p: Protocol, w: Bench, t: Tables) -> None:
    """Write down what a committee can see of the trial now, in the form of a question.

    It holds kind, outstanding outcomes, room, level, the last cohort's evaluable patients and DLTs, how many levels are
    open, and for each level evaluable patients, DLTs and pending patients; then, for rules that read the follow-up,
    what is known of single patients: see `write_followup`.
    """
    q = t.seen
    q[3] = w.level
    q[4] = q[5] = 0
    if p.reads_last and p.rolling:
        q[4], q[5] = w.since_outcomes, w.since_dlts
    elif p.reads_last:
        q[4], q[5] = w.cohort_evaluable, w.cohort_dlts
    q[6] = w.open_levels
    for level in range(p.levels):
        q[HEAD + level] = w.evaluable[level]
        q[HEAD + p.levels + level] = w.dlts[level]
        q[HEAD + 2 * p.levels + level] = w.pending[level] + (w.lymphodepleted[level] if p.rolling else 0)
    if FULL and p.reserves and p.rolling:
        q[HEAD + 2 * p.levels + w.level] += w.reserved
    if p.reads_followup == Followup.OF_EACH:
        write_followup(p, w, t)


def write_followup(p: Protocol, w: Bench, t: Tables) -> None:
    """Write what is known of single patients: how far the pending are, when the lost left, when DLTs came.

    A number for each of them, in ascending order, then -1: see `code_size`. DLTs are left out where nobody reads them.
    """
    q, size = t.seen, code_size(p)
    first = end = HEAD + 3 * p.levels
    for _ in range(w.reserved if FULL else 0):
        insert(q, first, end, w.level)
        end += 1
    for patient in range(w.enrolled):
        person = t.people[patient]
        code = -1
        if person.outcome == Outcome.NOT_YET:
            code = person.level
        elif person.outcome == Outcome.PENDING:
            code = person.level + p.levels * (w.today - person.infusion_day)
        elif person.outcome == Outcome.LEFT_IN_WINDOW:
            code = size + person.level + p.levels * (person.settle_day - person.infusion_day)
        elif person.outcome == Outcome.DLT and p.reads_dlt_days:
            code = 2 * size + p.window_level[person.level] + p.levels * (person.settle_day - person.infusion_day)
        if code >= 0:
            insert(q, first, end, code)
            end += 1
    for position in range(end, len(q)):
        q[position] = -1


def code_size(p: Protocol) -> int:
    """Return how many ``level + levels * days`` there are; it is added once for the lost, twice for DLTs.

    Of a DLT the level says how long the window was: any other with the same window is as good.
    """
    return p.levels * (p.longest_window + 1)


def insert(q: Numbers, first: int, end: int, value: int) -> None:
    """Put a number among those from `first` up to `end`, which are in ascending order."""
    position = end
    while position > first and q[position - 1] > value:
        q[position] = q[position - 1]
        position -= 1
    q[position] = value


def ask(p: Protocol, w: Bench, t: Tables, kind: int, outstanding: int) -> int:
    """Ask about what is known now; return where the answer is, or -1 with the question on the bench."""
    write_counts(p, w, t)
    return answer(p, w, t, kind, outstanding, 0)


def answer(p: Protocol, w: Bench, t: Tables, kind: int, outstanding: int, places: int) -> int:
    """Ask about what was seen; return where the answer is, or -1 with the question on the bench."""
    t.question[0], t.question[1], t.question[2] = kind, outstanding, places
    for position in range(3, len(t.question)):
        t.question[position] = t.seen[position]
    if kind == Ask.MAY_BE_FORCED:
        complete(p, t)
    if len(t.alike) and kind != Ask.RECOMMENDATION and kind != Ask.CONCLUSION:
        simplify(p, t)
    found = find(t.asked, t.question)
    if found < 0:
        w.code = Run.ASKS
    return found


def complete(p: Protocol, t: Tables) -> None:
    """Write what would be seen if all outcomes of the level were known, and what is outstanding came without a DLT."""
    q = t.question
    level = q[3]
    q[HEAD + level] += q[1]
    q[1] = 0
    leave_out_pending(p, q, level)


def write_known_alone(p: Protocol, w: Bench, t: Tables) -> None:
    """Write down what is known without the pending patients, who count for nothing."""
    write_counts(p, w, t)
    for level in range(p.levels):
        leave_out_pending(p, t.seen, level)


def leave_out_pending(p: Protocol, q: Numbers, level: int) -> None:
    """Leave the pending patients of a level out of what is written down."""
    size = code_size(p)
    q[HEAD + 2 * p.levels + level] = 0
    first = kept = HEAD + 3 * p.levels
    for position in range(first, len(q)):
        code = q[position]
        if code >= size or (code >= 0 and code % p.levels != level):
            q[kept] = code
            kept += 1
    for position in range(kept, len(q)):
        q[position] = -1


def simplify(p: Protocol, t: Tables) -> None:
    """Write counts that no decision tells apart in one way, so that they are one question.

    Of a level that is not the cohort's a rolling rule reads the pending with the others, and a cohort rule at most
    whether somebody was treated there.
    """
    q = t.question
    for level in range(p.levels):
        if level == q[3]:
            continue
        n, y, c = HEAD + level, HEAD + p.levels + level, HEAD + 2 * p.levels + level
        if p.rolling:
            q[n] += q[c]
            q[c] = 0
        else:
            q[c] = 1 if q[c] and not q[n] else 0
        if q[n] < len(t.alike[level]):
            alike = t.alike[level][q[n]][q[y]]
            q[n], q[y] = alike[0], alike[1]


def find(asked: dict[tuple[int, ...], int], question: Numbers) -> int:
    """Return where the answer to a question is, `UNKNOWN` if the committee was not asked yet."""
    return asked.get(tuple(question), UNKNOWN)


def pack(table: Table, question: Row[int]) -> None:
    """Pack a question into the table's words, each number plus one."""
    word, used, value = 0, 0, 0
    for position in range(len(question)):
        bits = table.bits[position]
        if used + bits > WORD_BITS:
            table.words[word] = value
            word, used, value = word + 1, 0, 0
        value |= (question[position] + 1) << used
        used += bits
    table.words[word] = value


def first_slot(table: Table) -> int:
    """Return where the search for the table's words begins."""
    mixed = 0
    for word in table.words:
        mixed = (mixed ^ word) * HASH_FACTOR
        mixed ^= mixed >> 32
    return mixed & (len(table.slots) - 1)


def find_in_table(table: Table, question: Row[int]) -> int:
    """Do what `find` does, compiled."""
    pack(table, question)
    slot = first_slot(table)
    while table.slots[slot][0] != UNKNOWN:
        same = True
        for word in range(len(table.words)):
            if table.slots[slot][1 + word] != table.words[word]:
                same = False
                break
        if same:
            row: int = table.slots[slot][0]
            return row
        slot = (slot + 1) & (len(table.slots) - 1)
    return UNKNOWN


def put(table: Table, row: int) -> None:
    """Put the table's words, which are not there yet, into the first free slot."""
    slot = first_slot(table)
    while table.slots[slot][0] != UNKNOWN:
        slot = (slot + 1) & (len(table.slots) - 1)
    table.slots[slot][0] = row
    for word in range(len(table.words)):
        table.slots[slot][1 + word] = table.words[word]


def store(table: Table, questions: Row[Row[int]], first: int) -> None:
    """Put questions, none of which is in the table, into its slots; their answers' rows begin with `first`."""
    for position in range(len(questions)):
        pack(table, questions[position])
        put(table, first + position)


def move(table: Table, larger: Table) -> None:
    """Put everything in a table into a larger one, which is empty."""
    for slot in table.slots:
        if slot[0] != UNKNOWN:
            for word in range(len(table.words)):
                larger.words[word] = slot[1 + word]
            put(larger, slot[0])
