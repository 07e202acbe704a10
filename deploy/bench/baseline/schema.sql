-- What a shop on PostgreSQL would have: the keys and indexes that its routes need, and no more. There are no foreign
-- keys: they would only make it slower.

CREATE TABLE products (
  id          text COLLATE "C" PRIMARY KEY,
  product_id  text COLLATE "C" NOT NULL UNIQUE,
  sku         text COLLATE "C" NOT NULL UNIQUE,
  name        text NOT NULL,
  description text NOT NULL,
  category    text NOT NULL,
  price       bigint NOT NULL CHECK (price >= 0),
  currency    text NOT NULL,
  stock       bigint NOT NULL CHECK (stock >= 0),
  is_active   boolean NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50); -- stock changes all the time: room for the new version beside the old one

CREATE TABLE orders (
  id             text COLLATE "C" PRIMARY KEY, -- begins with the time, so it also sorts the list
  order_number   text COLLATE "C" NOT NULL UNIQUE,
  customer_id    text COLLATE "C" NOT NULL,
  customer       jsonb NOT NULL,
  address        jsonb NOT NULL,
  payment_method text NOT NULL,
  notes          text,
  subtotal       bigint NOT NULL,
  tax            bigint NOT NULL,
  shipping       bigint NOT NULL,
  total          bigint NOT NULL,
  currency       text NOT NULL,
  status         text NOT NULL,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer_id, id);
CREATE INDEX orders_open ON orders (customer_id, id) WHERE status <> 'confirmed';

CREATE TABLE order_lines (
  order_id     text COLLATE "C" NOT NULL,
  line         int NOT NULL,
  product_id   text NOT NULL,
  product_name text NOT NULL,
  quantity     bigint NOT NULL,
  unit_price   bigint NOT NULL,
  PRIMARY KEY (order_id, line)
);

CREATE TABLE stock_movements (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id text COLLATE "C" NOT NULL,
  order_id   text NOT NULL,
  delta      bigint NOT NULL,
  balance    bigint NOT NULL,
  at         timestamptz NOT NULL
);
CREATE INDEX stock_movements_by_product ON stock_movements (product_id, id);
