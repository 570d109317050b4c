"""An operator names the networks that deliveries may go to, and the tracker to receivers."""

from ipaddress import ip_address

import pytest

from deploy.config import settings
from deploy.config.table import WrongSetting
from tests.support.cases import each_case


def test_without_settings_deliveries_go_to_the_internet_in_the_name_of_localhost() -> None:
    assert settings.delivery_networks({}).allowed == ()
    assert settings.delivery_origin({}) == "localhost"


def test_named_networks_are_permitted_beside_it() -> None:
    networks = settings.delivery_networks({"TRACKER_DELIVERY_NETWORKS": "10.1.0.0/16, ::1/128"})
    assert networks.permit(ip_address("10.1.2.3"), encrypted=False)
    assert networks.permit(ip_address("::1"))
    assert not networks.permit(ip_address("10.2.0.1"))


@each_case(
    ("given", "origin"),
    [
        ({"TRACKER_HOSTS": "*, minerals.example.com, other"}, "minerals.example.com"),
        ({"TRACKER_HOSTS": "*"}, "localhost"),
        ({"TRACKER_HOSTS": "a.example", "TRACKER_DELIVERY_ORIGIN": "b.example"}, "b.example"),
    ],
)
def test_receivers_know_the_tracker_by_its_first_host_or_by_what_is_set(
    given: dict[str, str], origin: str
) -> None:
    assert settings.delivery_origin(given) == origin


@each_case(
    ("variables", "site"),
    [
        ({"TRACKER_HOSTS": "a.example"}, "https://a.example"),
        ({"TRACKER_MAIL_SITE": "http://b.example:8000/"}, "http://b.example:8000"),
    ],
)
def test_links_in_chats_lead_to_the_site_of_mails_or_else_to_the_origin(
    variables: dict[str, str], site: str
) -> None:
    assert settings.delivery(variables).site == site


@each_case(
    ("variable", "value"),
    [
        ("TRACKER_DELIVERY_NETWORKS", "10.1.2.3/16"),
        ("TRACKER_DELIVERY_NETWORKS", "intranet"),
        ("TRACKER_DELIVERY_ORIGIN", "https://example.com"),
        ("TRACKER_DELIVERY_ORIGIN", "example.com\r\nx: y"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=variable):
        settings.check({variable: value})
