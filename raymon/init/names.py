"""What the names of columns say of them."""

from __future__ import annotations

import re

_ID = re.compile(
    r"(^|_)(id|ids|uid|iid|code|type|cat|cate|category|tag|tags|tab|brand|city|region|gender|sex|"
    r"device|os|channel|zip|zipcode|postcode|hash|key)\d*(_|$)|onehot|[a-z]Id$|id$",
)
_USER = re.compile(r"^(user|uid|u|member|customer|visitor)(_?id|_key)?$", re.IGNORECASE)
_OF_USER = re.compile(r"^(user|uid|u_|member|customer|visitor)", re.IGNORECASE)
_OF_ITEM = re.compile(
    r"^(item|iid|i_|video|ad_|adid|product|goods|photo|movie|music|doc|author|creative)",
    re.IGNORECASE,
)
_AFTERWARDS = re.compile(
    r"^(is_|has_|n_|num_)?(click|clicked|like|liked|follow|followed|comment|commented|forward|"
    r"share|shared|hate|dislike|purchase|purchased|buy|bought|order|ordered|pay|paid|conversion|"
    r"convert|converted|install|installed|profile_enter|long_view|effective_view|valid_play|"
    r"finish|finished|watched|dwell|(play|watch|view|stay|dwell|read|profile_stay|comment_stay)"
    r"_?(time|duration|seconds|ms)(_ms|_s)?)$",
    re.IGNORECASE,
)
_TIME = re.compile(r"(^|_)(time|ts|timestamp|date|datetime|day|dt|ds)(_|$)|_at$", re.IGNORECASE)


def is_id(name: str) -> bool:
    """Whether integers of a column of this name stand for things, and are no amounts."""
    return _ID.search(name) is not None


def is_user(name: str) -> bool:
    """Whether a column of this name says which user a row is of."""
    return _USER.match(name) is not None


def is_time(name: str) -> bool:
    """Whether a column of this name says when a row was."""
    return _TIME.search(name) is not None


def is_known_afterwards(name: str) -> bool:
    """Whether a column of this name says what somebody did after a row was shown."""
    return _AFTERWARDS.match(name) is not None


def side(name: str) -> str:
    """Returns whose a column is, by its name: "user", "item" or "context"."""
    if _OF_USER.match(name):
        return "user"
    return "item" if _OF_ITEM.match(name) else "context"
