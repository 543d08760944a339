"""Outbound messages as Salesforce words them, and bodies that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.salesforce.outbound_messages import Notification, read_message

ORG, CONTACT = "00D5i0000000008EAA", "0035i000000000HAAQ"
MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{org}</OrganizationId>
   <ActionId>04k5i0000000001AAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/65.0/00D5i0000000008</EnterpriseUrl>
   <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/65.0/00D5i0000000008</PartnerUrl>
   {notifications}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""
NOTIFICATION = """<Notification>
    <Id>{id}</Id>
    <sObject xsi:type="sf:{object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>{record}</sf:Id>
     <sf:Phone>(415) 555-0132</sf:Phone>
    </sObject>
   </Notification>"""


def message(*notifications: str, org: str = ORG) -> bytes:
    return MESSAGE.format(org=org, notifications="\n".join(notifications)).encode()


def notification(id_: str = "04l5i0000000001AAA", record: str = CONTACT, name: str = "Contact") -> str:
    return NOTIFICATION.format(id=id_, record=record, object=name)


def test_a_message_is_read() -> None:
    read = read_message(message(notification(), notification("04l5i0000000002AAA", "a015i00000000AB", "Visit__c")))

    assert read is not None
    assert (read.organization_id, read.unreadable) == (ORG, 0)
    assert read.notifications == (
        Notification("04l5i0000000001AAA", "Contact", CONTACT),
        Notification("04l5i0000000002AAA", "Visit__c", "a015i00000000ABAAY"),
    )


def test_an_organization_of_15_characters_is_the_same_one() -> None:
    read = read_message(message(notification(), org=ORG[:15]))

    assert read is not None
    assert read.organization_id == ORG


@pytest.mark.parametrize(
    "told",
    [
        notification(id_=""),
        notification(record="nobody"),
        "<Notification><Id>04l5i0000000001AAA</Id></Notification>",
        notification().replace('xsi:type="sf:Contact"', ""),
    ],
)
def test_a_notification_without_an_id_is_counted(told: str) -> None:
    read = read_message(message(told, notification("04l5i0000000003AAA")))

    assert read is not None
    assert [each.id for each in read.notifications] == ["04l5i0000000003AAA"]
    assert read.unreadable == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a/>",
        b"\xff\xfe",
        message(),
        message(*[notification()] * 101),
        message(notification(), org="nobody"),
        message(notification())[:-20],
        message(notification()).replace(b"2005/09/outbound", b"2005/09/inbound"),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>' + message(notification("&b;")).partition(b"\n")[2],
        b"<a>" * 5_000 + b"</a>" * 5_000,
    ],
)
def test_what_is_no_message_is_none(body: bytes) -> None:
    assert read_message(body) is None


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: message(notification(text))))
def test_nothing_that_comes_makes_it_fail(body: bytes) -> None:
    read_message(body)
