import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.MaxKey;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Serves mongo-java-server on 127.0.0.1 until its standard input ends, so that it never outlives the test that started
 * it; prints the port. Argument: the port, 0 or none for a free one.
 *
 * By itself mongo-java-server looks at every document unless a query names exactly the fields of a unique index. Here
 * queries use indexes as MongoDB does: by _id whatever else is asked for, and along every index that the client made, by
 * equal values, then a range, and in its order. An index only narrows down which documents the server's own matcher sees.
 */
public class Double {
    // The Go driver refuses servers below wire version 9; the double says 8 by itself.
    record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {
        public String toVersionString() {
            return "7.0.0";
        }
    }

    public static void main(String[] arguments) throws Exception {
        MemoryBackend backend = new MemoryBackend() {
            @Override
            public MemoryDatabase openOrCreateDatabase(String name) {
                return new Database(name, getCursorRegistry());
            }
        };
        backend.version(new Version(List.of(7, 0, 0), 21));
        MongoServer server = new MongoServer(backend);
        server.bind("127.0.0.1", arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0);
        System.out.println("port " + server.getLocalAddress().getPort());
        while (System.in.read() >= 0) {
        }
        server.shutdownNow();
    }

    static class Database extends MemoryDatabase {
        Database(String name, CursorRegistry cursors) {
            super(name, cursors);
        }

        @Override
        protected MemoryCollection openOrCreateCollection(String name, CollectionOptions options) {
            return new Collection(this, name, options, cursorRegistry);
        }

        @Override
        protected Index<Integer> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            ((Collection) resolveOrCreateCollection(collection)).order(keys.stream().map(IndexKey::getKey).toList());
            return super.openOrCreateSecondaryIndex(collection, name, keys, sparse); // only its name
        }
    }

    static class Collection extends MemoryCollection {
        private final Map<List<String>, Order> orders = new LinkedHashMap<>();

        Collection(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors) {
            super(database, name, options, cursors);
            if (options.getIdField() != null) {
                order(List.of(options.getIdField()));
            }
        }

        synchronized void order(List<String> keys) {
            if (orders.containsKey(keys)) {
                return;
            }
            Order order = new Order(keys);
            streamAllDocumentsWithPosition().forEach(d -> order.add(d.getDocument(), d.getPosition()));
            orders.put(keys, order);
        }

        @Override
        protected Integer addDocumentInternal(Document document) {
            Integer position = super.addDocumentInternal(document);
            orders.values().forEach(order -> order.add(document, position));
            return position;
        }

        @Override
        protected void removeDocument(Integer position) {
            Document document = getDocument(position);
            orders.values().forEach(order -> order.remove(document, position));
            super.removeDocument(position);
        }

        @Override
        protected void handleUpdate(Integer position, Document before, Document after) {
            orders.values().forEach(order -> {
                order.remove(before, position);
                order.add(after, position);
            });
        }

        @Override
        protected synchronized QueryResult queryDocuments(Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
            for (Index<Integer> index : getIndexes()) {
                if (index.canHandle(query)) {
                    return super.queryDocuments(query, orderBy, skip, limit, batchSize, fields);
                }
            }
            if (query.containsKey("_id")) {
                Document byId = new Document("_id", query.get("_id"));
                for (Index<Integer> index : getIndexes()) {
                    if (index.canHandle(byId)) {
                        return matchDocuments(query, index.getPositions(byId), orderBy, skip, limit, batchSize, fields);
                    }
                }
            }
            Walk best = null;
            for (Order order : orders.values()) {
                Walk walk = order.walk(query, orderBy);
                if (walk != null && (best == null || walk.worth > best.worth)) {
                    best = walk;
                }
            }
            if (best == null) {
                return super.queryDocuments(query, orderBy, skip, limit, batchSize, fields);
            }
            return matchDocuments(query, best.positions, best.sorted ? null : orderBy, skip, limit, batchSize, fields);
        }
    }

    /** The documents to look at, in which order, and how good a choice that is. */
    record Walk(Iterable<Integer> positions, boolean sorted, int worth) {}

    /** Documents in the order of some fields: an entry is their values and then the document's position. */
    static class Order {
        private final List<String> keys;
        private final NavigableSet<Object[]> entries = new TreeSet<>(Order::compare);
        private int lists; // documents with an array under a key: no use for such an index is known here

        Order(List<String> keys) {
            this.keys = keys;
        }

        static int compare(Object[] a, Object[] b) {
            for (int i = 0; i < Math.min(a.length, b.length); i++) {
                int result = ValueComparator.asc().compare(a[i], b[i]);
                if (result != 0) {
                    return result;
                }
            }
            return Integer.compare(a.length, b.length);
        }

        private Object[] entry(Document document, Integer position) {
            List<Object> entry = new ArrayList<>();
            keys.forEach(key -> entry.add(Missing.ofNullable(Utils.getSubdocumentValue(document, key))));
            entry.add(position);
            return entry.toArray();
        }

        private static boolean hasList(Object[] entry) {
            return Arrays.stream(entry).anyMatch(value -> value instanceof java.util.Collection);
        }

        void add(Document document, Integer position) {
            Object[] entry = entry(document, position);
            if (hasList(entry)) {
                lists++;
            } else {
                entries.add(entry);
            }
        }

        void remove(Document document, Integer position) {
            Object[] entry = entry(document, position);
            if (hasList(entry)) {
                lists--;
            } else {
                entries.remove(entry);
            }
        }

        /** The part of the order that the query asks for; null when that is all of it and in no wanted order. */
        Walk walk(Document query, Document orderBy) {
            List<Object> from = new ArrayList<>();
            while (from.size() < keys.size() && isValue(query.get(keys.get(from.size())))) {
                from.add(query.get(keys.get(from.size())));
            }
            int equal = from.size();
            List<Object> to = new ArrayList<>(from);
            Document range = equal < keys.size() ? rangeOf(query.get(keys.get(equal))) : null;
            if (range != null) {
                Object low = range.containsKey("$gt") ? range.get("$gt") : range.get("$gte");
                from.addAll(low != null ? List.of(low) : List.of(Missing.getInstance(), MaxKey.getInstance()));
                Object high = range.containsKey("$lt") ? range.get("$lt") : range.get("$lte");
                if (high != null) {
                    to.add(high);
                }
            }
            to.add(MaxKey.getInstance());
            Boolean descending = direction(orderBy, keys.subList(equal, keys.size()));
            int worth = 4 * equal + (range != null ? 2 : 0) + (descending != null ? 1 : 0);
            if (lists > 0 || worth == 0) {
                return null;
            }
            if (compare(from.toArray(), to.toArray()) > 0) {
                return new Walk(List.of(), true, worth); // nothing is in such a range
            }
            NavigableSet<Object[]> part = entries.subSet(from.toArray(), true, to.toArray(), true);
            NavigableSet<Object[]> walked = descending != null && descending ? part.descendingSet() : part;
            Iterable<Integer> positions = () -> walked.stream().map(entry -> (Integer) entry[entry.length - 1]).iterator();
            return new Walk(positions, descending != null, worth);
        }

        private static boolean isValue(Object condition) {
            return condition != null && !(condition instanceof Document) && !(condition instanceof java.util.Collection);
        }

        private static Document rangeOf(Object condition) {
            boolean range = condition instanceof Document document && !document.isEmpty()
                && Set.of("$gt", "$gte", "$lt", "$lte").containsAll(document.keySet());
            return range ? (Document) condition : null;
        }

        /** Whether the rest of the keys, one way or backwards, is the order that is asked for; null: it is not. */
        private static Boolean direction(Document orderBy, List<String> rest) {
            if (orderBy == null || orderBy.isEmpty() || !List.copyOf(orderBy.keySet()).equals(rest)) {
                return null;
            }
            Set<Boolean> ways = new HashSet<>();
            orderBy.values().forEach(way -> ways.add(((Number) way).intValue() < 0));
            return ways.size() == 1 ? ways.iterator().next() : null;
        }
    }
}
