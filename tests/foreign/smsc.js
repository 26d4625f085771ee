// An SMSC on npm's `smpp`, for one ESME: it sends customers' messages as soon as the ESME is
// bound, takes what it submits and sends receipts for it. It prints what happens as JSON, a line
// each, and asks the ESME to unbind when its stdin ends.
'use strict';

const smpp = require('smpp');

const CREDENTIALS = { system_id: 'cez', password: 'secret' };
const SHORTCODE = '170077';
const MESSAGES = [
  { from: '359888123456', text: 'help', data_coding: 0 },
  { from: '359888123457', text: 'помощ', data_coding: 8 },
];

const tell = (event, fields) => console.log(JSON.stringify({ event, ...fields }));

function deliver(session, event, { from, ...fields }) {
  const addresses = {
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: from,
    dest_addr_ton: 3,
    dest_addr_npi: 0,
    destination_addr: SHORTCODE,
  };
  session.deliver_sm({ ...addresses, ...fields }, (response) =>
    tell(event, { source: from, status: response.command_status }));
}

function sendReceipt(session, submit, message_id) {
  const text = `id:${message_id} sub:001 dlvrd:001 submit date:2601011200 done date:2601011200`
    + ' stat:DELIVRD err:000 text:';
  deliver(session, 'receipt_answered', {
    from: submit.destination_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: text,
    receipted_message_id: message_id,
    message_state: smpp.MESSAGE_STATE.DELIVERED,
  });
}

let submits = 0;

const server = smpp.createServer((session) => {
  session.on('error', (error) => tell('error', { reason: String(error) }));
  session.on('close', () => tell('closed'));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('bind_transceiver', (pdu) => {
    const { system_id, password, interface_version } = pdu;
    if (system_id !== CREDENTIALS.system_id || password !== CREDENTIALS.password) {
      session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
      return;
    }
    session.send(pdu.response({ system_id: 'foreign', sc_interface_version: 0x34 }));
    tell('bound', { system_id, interface_version });
    session.enquire_link(() => tell('enquire_link_answered'));
    for (const { text, ...fields } of MESSAGES) {
      deliver(session, 'mo_answered', { short_message: { message: text }, ...fields });
    }
  });
  session.on('submit_sm', (pdu) => {
    const message_id = `foreign-${++submits}`;
    const { message, udh } = pdu.short_message;
    session.send(pdu.response({ message_id }));
    tell('submit', {
      source: pdu.source_addr,
      destination: pdu.destination_addr,
      data_coding: pdu.data_coding,
      text: message,
      part: udh ? [...udh[0].subarray(-2)] : [1, 1],
    });
    if (pdu.registered_delivery & 1) sendReceipt(session, pdu, message_id);
  });
  process.stdin.on('end', () => session.unbind(() => {
    tell('unbound');
    session.close();
    server.close();
  }));
});

server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }));
process.stdin.resume();
