import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Serves mongo-java-server on 127.0.0.1 until its standard input ends, so that it never outlives the test that started
 * it; prints the port. Argument: the port, 0 or none for a free one.
 */
public class Double {
    // The Go driver refuses servers below wire version 9; the double says 8 by itself.
    record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {
        public String toVersionString() {
            return "7.0.0";
        }
    }

    public static void main(String[] arguments) throws Exception {
        MemoryBackend backend = new MemoryBackend();
        backend.version(new Version(List.of(7, 0, 0), 21));
        MongoServer server = new MongoServer(backend);
        server.bind("127.0.0.1", arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0);
        System.out.println("port " + server.getLocalAddress().getPort());
        while (System.in.read() >= 0) {
        }
        server.shutdownNow();
    }
}
