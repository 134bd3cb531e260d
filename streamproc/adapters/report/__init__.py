"""How good a backtest's risks were: judged against plain rivals, and written as one page that needs nothing else."""

from streamproc.adapters.report.judgement import CutLine, Known, Line, Report, judge
from streamproc.adapters.report.page import page

__all__ = ["CutLine", "Known", "Line", "Report", "judge", "page"]
