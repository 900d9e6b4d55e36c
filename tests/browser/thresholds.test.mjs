// The page says "wrong" where an alert would wake somebody, and "look" where one would wait for the morning: by the same
// numbers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as thresholds from '../../page/views/health/thresholds.js';
import { source } from './source.mjs';

const alerts = new Map(
  source('deploy/prometheus/alerts.yml')
    .split(/\n {6}- (?=alert: |record: )/)
    .slice(1)
    .map((rule) => [rule.match(/^\w+: (\S+)/)[1], rule]),
);

const { ACCOUNT_FAULTS, ANSWERS, CREDIT_LEFT, DELIVERED, FAILED, LIMIT_REFUSED, REJECTED, SPENT, WAITING } = thresholds;
const minutes = (milliseconds) => milliseconds / 60_000;

for (const [alert, severity, ...numbers] of [
  ['SmsErrorRateHigh', 'page', [/ratio10m > ([\d.]+)/, FAILED.bad.share], [/>= (\d+)/, FAILED.bad.count]],
  ['SmsErrorRateHigh', 'page', [/\[(\d+)m\]/, minutes(thresholds.LATELY)]],
  ['SmsErrorRateRaised', 'ticket', [/ratio6h > ([\d.]+)/, FAILED.watch.share], [/>= (\d+)/, FAILED.watch.count]],
  ['SmsTemplateFault', 'ticket', [/> (\d+)/, 0]],
  ['SmsLogtoRefused', 'page', [/>= (\d+)/, thresholds.REFUSED_UNREAD]],
  ['SmsAnswersSlow', 'ticket', [/quantile\(([\d.]+)/, ANSWERS.share], [/> (\d+)\n/, ANSWERS.seconds], [/>= (\d+)/, ANSWERS.count]],
  ['SmsAnswersSlow', 'ticket', [/\[(\d+)m\]/, minutes(thresholds.LATELY)]],
  ['SmsAccountFault', 'page', [/> ([\d.]+) \*/, ACCOUNT_FAULTS]],
  ['SmsBreakerOpen', 'page', [/breaker_state\) > (\d+)/, 0], [/\[(\d+)m\]/, minutes(thresholds.LATELY)]],
  ['SmsRequestsRejected', 'page', [/>= (\d+)/, REJECTED.count], [/([\d.]+) \* sum/, REJECTED.share]],
  ['SmsDestinationRefused', 'ticket', [/>= (\d+)/, thresholds.DESTINATION_REFUSED]],
  ['SmsMessagesWaiting', 'ticket', [/> (\d+)/, WAITING.count], [/\[(\d+)m\]/, minutes(WAITING.span)]],
  ['SmsConnectionsFull', 'page', [/> ([\d.]+)/, thresholds.CONNECTIONS]],
  ['SmsLateOutcomes', 'ticket', [/>= (\d+)/, thresholds.LATE_OUTCOMES]],
  ['SmsCreditGoneSoon', 'page', [/< (\d+)/, CREDIT_LEFT.bad]],
  ['SmsCreditLow', 'ticket', [/< (\d+)/, CREDIT_LEFT.watch]],
  ['SmsCreditUnknown', 'ticket', [/> (\d+)/, thresholds.CREDIT_OLD]],
  ['SmsDeliveryCollapsed', 'page', [/< ([\d.]+) \* job_country:sms_delivered:ratio1w/, DELIVERED.bad]],
  ['SmsDeliveryCollapsed', 'page', [/reports_total\[(\d+)m\]\)\) > 0/, minutes(thresholds.REPORTS_STOPPED)]],
  ['SmsDeliveryFalling', 'ticket', [/< ([\d.]+) \* job_country:sms_delivered:ratio1w/, DELIVERED.watch]],
  ['SmsDeliveryFalling', 'ticket', [/reports_total\[(\d+)m\]\)\) > 0/, minutes(thresholds.REPORTS_STOPPED)]],
  ['SmsDeliverySlow', 'ticket', [/p90_30m > (\d+)/, thresholds.DELIVERY_SECONDS]],
  ['SmsReportsRefused', 'ticket', [/>= (\d+)/, thresholds.REPORTS_REFUSED]],
  ['SmsLimitRefusing', 'ticket', [/([\d.]+) \* sum/, LIMIT_REFUSED.share], [/>= (\d+)/, LIMIT_REFUSED.count]],
  ['SmsLimitMonitored', 'ticket', [/([\d.]+) \* sum/, thresholds.LIMIT_MONITORED]],
  ['SmsSpendHigh', 'ticket', [/>= ([\d.]+)/, SPENT.watch]],
  ['SmsSpendExhausted', 'page', [/\[(\d+)m\]/, minutes(thresholds.LATELY)]],
  ['SmsLedgerAway', 'ticket', [/sms_ledger_up == (\d+)/, 0]],
  ['SmsLedgerRefusing', 'page', [/\[(\d+)m\]/, minutes(thresholds.LATELY)]],
]) {
  test(`${alert}: ${numbers.map(([, number]) => number).join(', ')}`, () => {
    const rule = alerts.get(alert);
    assert.ok(rule.includes(`severity: ${severity},`), rule);
    for (const [pattern, number] of numbers) assert.equal(Number(rule.match(pattern)?.[1]), number, `${pattern} in ${rule}`);
  });
}

test('the ledger and the alerts give reports the same time', () => {
  const [, offset] = alerts.get('job_country:sms_accepted:increase1h').match(/offset (\d+)m/);
  const [, factor] = source('src/ledger/deliveries.rs').match(/OVERDUE_AFTER: Duration = Duration::from_secs\((\d+) \* 60\)/);
  assert.equal(factor, offset);
});

test('each number of the page stands beside an alert’s name', () => {
  const text = source('page/views/health/thresholds.js');
  const named = [...text.matchAll(/\bSms[A-Z]\w+/g)].map(([name]) => name);
  assert.ok(named.length > 15, named.join());
  assert.deepEqual(
    named.filter((name) => !alerts.has(name)),
    [],
  );
});
