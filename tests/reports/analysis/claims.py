"""Judging claims in one line, for the tests."""

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge


def verdicts_of(made, *claims, **analysis):
    named = [{"id": str(place), **each} for place, each in enumerate(claims)]
    return judge(made, parse_claims(named, made.factors), AnalysisSettings(**analysis))
