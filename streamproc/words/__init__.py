"""Words for people, in English and Chinese: terms for codes, sentences for reasons and outcomes, dates, numbers, money.

English texts are the message ids; `locale/zh_CN/LC_MESSAGES/streamproc.po` holds the Chinese ones, the `.mo` beside it
is compiled from it. After a change of texts, from the project's folder:

    pybabel extract --no-location -k _t:1c,3 -k say -k count:1,2 -o build/words.pot streamproc
    pybabel update -N -i build/words.pot -l zh_CN -D streamproc -d streamproc/words/locale
    pybabel compile -D streamproc -d streamproc/words/locale

(A test says what is missing, left over, or not compiled.)
"""

from streamproc.words.alerts import alert_said
from streamproc.words.bonds import bond_lines, discontent_lines, lasting, loyalty_said, service_lines
from streamproc.words.causes import cause_said, clues_said, first_steps, no_cause_said, stance_said, step_said
from streamproc.words.desk import standing_said
from streamproc.words.language import LANGUAGES, Language, Words, words_in
from streamproc.words.outcomes import outcome_said
from streamproc.words.reasons import Said, main_reasons, model_note, money_notes, reason_said
from streamproc.words.told import told

__all__ = [
    "LANGUAGES",
    "Language",
    "Said",
    "Words",
    "alert_said",
    "bond_lines",
    "cause_said",
    "clues_said",
    "discontent_lines",
    "first_steps",
    "lasting",
    "loyalty_said",
    "main_reasons",
    "model_note",
    "money_notes",
    "no_cause_said",
    "outcome_said",
    "reason_said",
    "service_lines",
    "stance_said",
    "standing_said",
    "step_said",
    "told",
    "words_in",
]
