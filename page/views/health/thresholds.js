// When a part of the service is worth a look, or wrong. "bad" stands for what wakes somebody by deploy/prometheus/alerts.yml
// (severity page), "watch" for what waits for the morning there (ticket); a test compares the numbers. What differs on
// purpose is in deploy/RUNBOOK.md, "Where to look".

const MINUTE = 60_000;

/** What counts as lately, in milliseconds: the span over which faults are judged. */
export const LATELY = 10 * MINUTE;
/** Of fewer messages a share or a time says nothing. Less than the alerts ask for: nobody is woken by a look. */
export const ENOUGH = 10;

/** The share of calls that fail, and how many. SmsErrorRateHigh, SmsErrorRateRaised */
export const FAILED = { bad: { share: 0.1, count: 10 }, watch: { share: 0.02, count: 5 } };
/** Calls refused unread, while none is taken. SmsLogtoRefused */
export const REFUSED_UNREAD = 10;
/** Seconds that this share of the calls stays below. SmsAnswersSlow */
export const ANSWERS = { share: 0.95, seconds: 4, count: 20 };

/** The share of calls that fail for the account. SmsAccountFault */
export const ACCOUNT_FAULTS = 0.1;
/** The share of requests rejected for how they are made, and how many. SmsRequestsRejected */
export const REJECTED = { share: 0.25, count: 10 };
/** Requests to where the account may not send. SmsDestinationRefused */
export const DESTINATION_REFUSED = 5;
/** Messages decided after the person was answered. SmsLateOutcomes */
export const LATE_OUTCOMES = 5;
/** Messages that wait for a connection at every look for so long. SmsMessagesWaiting */
export const WAITING = { count: 50, span: 5 * MINUTE };

/** Hours that the credit lasts. SmsCreditGoneSoon, SmsCreditLow */
export const CREDIT_LEFT = { bad: 6, watch: 72 };
/** Seconds after which the credit is not known any more. SmsCreditUnknown */
export const CREDIT_OLD = 3600;
/** The spent share of the day's budget. SmsSpendExhausted goes by what is refused for it, SmsSpendHigh */
export const SPENT = { bad: 1, watch: 0.8 };

/** The share of messages that arrive, of what is usual: here of all. SmsDeliveryCollapsed, SmsDeliveryFalling */
export const DELIVERED = { bad: 0.5, watch: 0.8 };
/** Without a report for so long it is not known what arrives. The last condition of SmsDeliveryCollapsed, SmsDeliveryFalling */
export const REPORTS_STOPPED = 15 * MINUTE;
/** Seconds within which nine of ten arrive. SmsDeliverySlow */
export const DELIVERY_SECONDS = 30;
/** Reports that are refused. SmsReportsRefused */
export const REPORTS_REFUSED = 5;

/** The share of calls that a limit refuses, and how many. SmsLimitRefusing */
export const LIMIT_REFUSED = { share: 0.3, count: 50 };
/** The share of calls that one in monitor mode would refuse. SmsLimitMonitored */
export const LIMIT_MONITORED = 0.05;

/** The share of the connections from outside that are taken. SmsConnectionsFull */
export const CONNECTIONS = 0.9;
