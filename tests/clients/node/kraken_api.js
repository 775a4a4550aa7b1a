// kraken-api 1.0 (Node): the calls of its manual, with nothing changed but the URL.
// Usage: NODE_PATH=... node kraken_api.js URL KEY SECRET; takes the name of a scenario on stdin and
// tells one JSON line of it.
const readline = require('readline');
const KrakenClient = require('kraken-api');

const [url, key, secret] = process.argv.slice(2);
const client = new KrakenClient(key, secret, { url });

// Its nonces are made of milliseconds: on loopback an answer is there within the same one.
const ask = async (method, params) => {
  await new Promise((go) => setTimeout(go, 2));
  return (await client.api(method, params)).result;
};

const scenarios = {
  async public_calls() {
    return {
      time: await ask('Time'),
      pairs: await ask('AssetPairs', { pair: 'XXBTZUSD' }),
      ticker: await ask('Ticker', { pair: 'XXBTZUSD' }),
      book: await ask('Depth', { pair: 'XXBTZUSD', count: 5 }),
      trades: await ask('Trades', { pair: 'XXBTZUSD' }),
    };
  },

  async an_order_is_placed_and_cancelled() {
    const order = {
      pair: 'XBTUSD', type: 'buy', ordertype: 'limit', price: '20000.0', volume: '0.001',
    };
    const placed = await ask('AddOrder', order);
    return {
      placed,
      open: await ask('OpenOrders'),
      cancelled: await ask('CancelOrder', { txid: placed.txid[0] }),
      balance: await ask('Balance'),
    };
  },

  async an_error_is_thrown_without_its_e() {
    try {
      return { answer: await ask('CancelOrder', { txid: 'OB6JJR-7NZ5P-N5SKCB' }) };
    } catch (error) {
      return { thrown: String(error.message) };
    }
  },
};

(async () => {
  for await (const name of readline.createInterface({ input: process.stdin })) {
    const told = {};
    try {
      told.result = await scenarios[name]();
    } catch (error) {
      told.error = String(error.stack);
    }
    console.log(JSON.stringify(told));
  }
})();
