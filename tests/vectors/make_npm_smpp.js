// Makes npm-smpp.json: SMPP PDUs as the package `smpp` of npm (node-smpp) encodes them.
//   npm install smpp@0.5.1 && node make_npm_smpp.js > npm-smpp.json
// Its source_telematics_id has two octets where SMPP 3.4 has one, and so is left out.
'use strict';
const smpp = require('smpp');
const version = require('smpp/package.json').version;

const hex = (text) => Buffer.from(text.replace(/ /g, ''), 'hex');
const ADDRESSES = {
  source_addr_ton: 1, source_addr_npi: 1, source_addr: '359888123456',
  dest_addr_ton: 3, dest_addr_npi: 0, destination_addr: '170077',
};
const MESSAGE = {
  service_type: 'CMT', ...ADDRESSES, esm_class: 0, protocol_id: 0, priority_flag: 1,
  schedule_delivery_time: '000001000000000R', validity_period: '261224235959008+',
  registered_delivery: 1, replace_if_present_flag: 0, data_coding: 0, sm_default_msg_id: 0,
};
const BIND = {
  system_id: 'cez', password: 'secret08', system_type: 'SMS', interface_version: 0x34,
  addr_ton: 1, addr_npi: 1, address_range: '^170077$',
};
const SOURCE = { source_addr_ton: 1, source_addr_npi: 1, source_addr: '359888123456' };
const CYRILLIC = Buffer.from('сметка', 'utf16le').swap16();
const RECEIPT = Buffer.from('id:0123456789 sub:001 dlvrd:001 submit date:2611201505 ' +
  'done date:2611201506 stat:DELIVRD err:000 text:Zadalzhenie');

smpp.addTLV('vendor_mark', { id: 0x1401, type: smpp.types.tlv.buffer });
const TLVS = {
  dest_addr_subunit: 1, dest_network_type: 1, dest_bearer_type: 1, dest_telematics_id: 0x1234,
  source_addr_subunit: 2, source_network_type: 1, source_bearer_type: 1,
  qos_time_to_live: 86400, payload_type: 0, receipted_message_id: 'abc-123',
  ms_msg_wait_facilities: 0x81, privacy_indicator: 1, source_subaddress: hex('a0 01 02'),
  dest_subaddress: hex('80 ff'), user_message_reference: 0xbeef, user_response_code: 7,
  source_port: 9200, dest_port: 9201, sar_msg_ref_num: 0x1234, language_indicator: 4,
  sar_total_segments: 3, sar_segment_seqnum: 2, callback_num_pres_ind: [1, 2],
  callback_num_atag: [hex('00 43455a')], number_of_messages: 5,
  callback_num: [hex('01 01 01 333539'), hex('00 00 00 31')], set_dpf: 1,
  network_error_code: hex('03 00 1b'), more_messages_to_send: 1, message_state: 2,
  ussd_service_op: 1, display_time: 0, sms_signal: 0x0102, ms_validity: hex('01'),
  its_reply_type: 0, its_session_info: hex('01 02'), vendor_mark: hex('00 01'),
};
const only = (...names) => Object.fromEntries(names.map((name) => [name, TLVS[name]]));
const SUBMIT_TLVS = only('user_message_reference', 'source_port', 'source_addr_subunit',
  'dest_port', 'dest_addr_subunit', 'sar_msg_ref_num', 'sar_total_segments',
  'sar_segment_seqnum', 'more_messages_to_send', 'payload_type', 'privacy_indicator',
  'callback_num', 'callback_num_pres_ind', 'callback_num_atag', 'source_subaddress',
  'dest_subaddress', 'user_response_code', 'display_time', 'sms_signal', 'ms_validity',
  'ms_msg_wait_facilities', 'number_of_messages', 'language_indicator', 'its_reply_type',
  'its_session_info', 'ussd_service_op', 'vendor_mark');
const DELIVER_TLVS = only('user_message_reference', 'source_port', 'dest_port', 'sar_msg_ref_num',
  'sar_total_segments', 'sar_segment_seqnum', 'user_response_code', 'privacy_indicator',
  'payload_type', 'callback_num', 'source_subaddress', 'dest_subaddress', 'language_indicator',
  'its_session_info', 'network_error_code', 'message_state', 'receipted_message_id');
const DATA_TLVS = only(...Object.keys(TLVS));

// name, command, fields, TLVs; a third number is the status.
const MADE = [];
const add = (name, command, fields = {}, tlvs = {}, status = 0) =>
  MADE.push({ name, command, fields, tlvs, status });

for (const kind of ['receiver', 'transmitter', 'transceiver']) {
  add(`bind_${kind}`, `bind_${kind}`, BIND);
  add(`bind_${kind} with nothing`, `bind_${kind}`, {});
  add(`bind_${kind}_resp`, `bind_${kind}_resp`, { system_id: 'smsc' },
    { sc_interface_version: 0x34 });
  add(`bind_${kind}_resp without version`, `bind_${kind}_resp`, { system_id: 'smsc' });
  add(`bind_${kind}_resp refused`, `bind_${kind}_resp`, {}, {}, 0x0e);
}
add('outbind', 'outbind', { system_id: 'smsc', password: 'secret08' });
for (const command of ['unbind', 'unbind_resp', 'enquire_link', 'enquire_link_resp']) {
  add(command, command);
}
add('generic_nack', 'generic_nack', {}, {}, 3);
for (const [command, tlvs] of [['submit_sm', SUBMIT_TLVS], ['deliver_sm', DELIVER_TLVS]]) {
  add(command, command, { ...MESSAGE, short_message: Buffer.from('smetka') });
  add(`${command} empty`, command, { data_coding: 0 });
  add(`${command} in UCS-2`, command, { ...MESSAGE, data_coding: 8, short_message: CYRILLIC });
  add(`${command} of 254 octets`, command, { ...MESSAGE, short_message: Buffer.alloc(254, 0) });
  add(`${command} with every TLV`, command, { ...MESSAGE, short_message: hex('00') }, tlvs);
  add(`${command} with message_payload`, command, { ...MESSAGE, short_message: Buffer.alloc(0) },
    { message_payload: Buffer.alloc(1000, 0x61) });
  add(`${command} as part 2 of 3`, command, { ...MESSAGE, esm_class: 0x40,
    short_message: Buffer.concat([hex('05 00 03 2a 03 02'), Buffer.from('smetka')]) });
  add(`${command}_resp`, `${command}_resp`,
    { message_id: command === 'submit_sm' ? '7c1e5b0a-0001' : '' });
  add(`${command}_resp refused`, `${command}_resp`, {}, {}, 0x58);
}
add('a receipt', 'deliver_sm', { ...MESSAGE, esm_class: 4, short_message: RECEIPT },
  only('receipted_message_id', 'message_state', 'network_error_code'));
add('data_sm', 'data_sm', { service_type: '', ...ADDRESSES, esm_class: 0, registered_delivery: 1,
  data_coding: 0 }, { message_payload: Buffer.from('smetka') });
add('data_sm with every TLV', 'data_sm', { service_type: 'WAP', ...ADDRESSES, esm_class: 0,
  registered_delivery: 0, data_coding: 4 }, DATA_TLVS);
add('data_sm with long addresses', 'data_sm', { data_coding: 0,
  source_addr: '1'.repeat(64), destination_addr: '2'.repeat(64) });
add('data_sm_resp', 'data_sm_resp', { message_id: '99' }, { delivery_failure_reason: 1,
  network_error_code: hex('03 00 1b'), additional_status_info_text: 'no', dpf_result: 1 });
add('query_sm', 'query_sm', { message_id: 'abc', ...SOURCE });
add('query_sm_resp', 'query_sm_resp', { message_id: 'abc', final_date: '261120150500008+',
  message_state: 2, error_code: 0 });
add('cancel_sm', 'cancel_sm', { service_type: 'CMT', message_id: 'abc', ...ADDRESSES });
add('cancel_sm_resp', 'cancel_sm_resp');
add('replace_sm', 'replace_sm', { message_id: 'abc', ...SOURCE, schedule_delivery_time: '',
  validity_period: '000001000000000R', registered_delivery: 1, sm_default_msg_id: 0,
  short_message: Buffer.from('smetka') });
add('replace_sm_resp', 'replace_sm_resp');
const { dest_addr_ton, dest_addr_npi, destination_addr, ...MULTI } = MESSAGE;
add('submit_multi', 'submit_multi', { ...MULTI, short_message: Buffer.from('smetka'),
  dest_address: [{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '359888123456' },
    { dl_name: 'debtors' }] }, only('user_message_reference', 'callback_num'));
add('submit_multi_resp', 'submit_multi_resp', { message_id: 'abc',
  unsuccess_sme: [{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '359888123456',
    error_status_code: 0x0b }] });
add('alert_notification', 'alert_notification', { ...SOURCE, esme_addr_ton: 3, esme_addr_npi: 0,
  esme_addr: '170077' }, { ms_availability_status: 1 });

// The names of SMPP 3.4 for the tags that this package names otherwise.
const NAMES = { dest_port: 'destination_port', vendor_mark: '0x1401' };
const plain = (value) => (Buffer.isBuffer(value) ? { hex: value.toString('hex') } : value);
const each = (values, make) => Object.entries(values).flatMap(([name, value]) => make(name, value));

const vectors = MADE.map(({ name, command, fields, tlvs, status }, index) => ({
  name,
  hex: new smpp.PDU(command, { ...fields, ...tlvs, command_status: status,
    sequence_number: index + 1 }).toBuffer().toString('hex'),
  command,
  status,
  sequence: index + 1,
  fields: Object.fromEntries(each(fields, (key, value) => [[key, plain(value)]])),
  tlvs: each(tlvs, (key, value) =>
    (Array.isArray(value) ? value : [value]).map((one) => [NAMES[key] || key, plain(one)])),
}));
const made_by = `npm smpp ${version} (node-smpp), by make_npm_smpp.js`;
const lines = vectors.map((vector) => JSON.stringify(vector)).join(',\n');
process.stdout.write(`{"made_by": "${made_by}", "vectors": [\n${lines}\n]}\n`);
