// A pvAccess server made of pvAccessJava and pvDatabaseJava, which send big-endian. PvaServer PREFIX
// Line protocol as in test/support/python/ioc/lines.py, but with the replies on stdout.
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.epics.pvaccess.server.impl.remote.ServerContextImpl;
import org.epics.pvaccess.server.impl.remote.plugins.DefaultBeaconServerDataProvider;
import org.epics.pvdata.factory.ConvertFactory;
import org.epics.pvdata.factory.FieldFactory;
import org.epics.pvdata.factory.PVDataFactory;
import org.epics.pvdata.factory.StandardPVFieldFactory;
import org.epics.pvdata.pv.Convert;
import org.epics.pvdata.pv.FieldBuilder;
import org.epics.pvdata.pv.PVBoolean;
import org.epics.pvdata.pv.PVBooleanArray;
import org.epics.pvdata.pv.PVDataCreate;
import org.epics.pvdata.pv.PVField;
import org.epics.pvdata.pv.PVInt;
import org.epics.pvdata.pv.PVScalar;
import org.epics.pvdata.pv.PVScalarArray;
import org.epics.pvdata.pv.PVString;
import org.epics.pvdata.pv.PVStringArray;
import org.epics.pvdata.pv.PVStructure;
import org.epics.pvdata.pv.PVStructureArray;
import org.epics.pvdata.pv.PVUnion;
import org.epics.pvdata.pv.ScalarType;
import org.epics.pvdatabase.PVDatabase;
import org.epics.pvdatabase.PVDatabaseFactory;
import org.epics.pvdatabase.PVRecord;
import org.epics.pvdatabase.pva.ChannelProviderLocalFactory;

public class PvaServer {
    private static final Convert CONVERT = ConvertFactory.getConvert();
    private static final PVDataCreate DATA = PVDataFactory.getPVDataCreate();
    private static final PVDatabase DATABASE = PVDatabaseFactory.getMaster();
    private static final Map<String, ScalarType> TYPES = new TreeMap<>(Map.ofEntries(
        Map.entry("bool", ScalarType.pvBoolean),
        Map.entry("int8", ScalarType.pvByte),
        Map.entry("uint8", ScalarType.pvUByte),
        Map.entry("int16", ScalarType.pvShort),
        Map.entry("uint16", ScalarType.pvUShort),
        Map.entry("int32", ScalarType.pvInt),
        Map.entry("uint32", ScalarType.pvUInt),
        Map.entry("int64", ScalarType.pvLong),
        Map.entry("uint64", ScalarType.pvULong),
        Map.entry("float32", ScalarType.pvFloat),
        Map.entry("float64", ScalarType.pvDouble),
        Map.entry("string", ScalarType.pvString)));
    private static final String PROPERTIES = "alarm,timeStamp";
    private static final String ALL_PROPERTIES = "alarm,timeStamp,display,control,valueAlarm";
    private static final String[] CHOICES = {"OFF", "ON", "a choice much longer than twenty-six characters"};

    private final String prefix;

    private PvaServer(String prefix) {
        this.prefix = prefix;
    }

    // ------------------------------------------------------------ records

    private void add(String name, PVStructure content, String start) {
        if (start != null) set(content, JsonParser.parseString(start).getAsJsonObject());
        DATABASE.addRecord(new PVRecord(prefix + name, content));
    }

    private void addAll() {
        var standard = StandardPVFieldFactory.getStandardPVField();
        TYPES.forEach((name, type) -> {
            add("scalar:" + name, standard.scalar(type, PROPERTIES), null);
            add("array:" + name, standard.scalarArray(type, PROPERTIES), null);
        });
        add("empty", standard.scalarArray(ScalarType.pvDouble, PROPERTIES), null);
        add("longstring", standard.scalar(ScalarType.pvString, PROPERTIES), null);
        add("enum", standard.enumerated(CHOICES, PROPERTIES), "{'value.index': 1}");
        add("large:uint16", standard.scalarArray(ScalarType.pvUShort, PROPERTIES), null);
        add("large:float64", standard.scalarArray(ScalarType.pvDouble, PROPERTIES), null);
        add("full", standard.scalar(ScalarType.pvDouble, ALL_PROPERTIES),
            "{'value': 5.5, 'alarm.severity': 2, 'alarm.status': 1, 'alarm.message': 'HIHI', 'display.units': 'mm',"
                + " 'display.format': '%.3f', 'timeStamp.secondsPastEpoch': 1700000000, 'timeStamp.nanoseconds': 123456789}");
        add("struct", struct(), "{'x': 1.25, 'sub.y': 7, 'sub.z': ['p', 'q']}");
    }

    /** Every kind of field that is neither scalar nor array. */
    private static PVStructure struct() {
        FieldBuilder builder = FieldFactory.getFieldCreate().createFieldBuilder();
        PVStructure content = DATA.createPVStructure(builder.setId("my:struct").add("x", ScalarType.pvDouble)
            .addNestedStructure("sub").add("y", ScalarType.pvInt).addArray("z", ScalarType.pvString).endNested()
            .addNestedStructureArray("arr").add("q", ScalarType.pvInt).endNested()
            .add("any", FieldFactory.getFieldCreate().createVariantUnion())
            .addNestedUnion("un").add("i", ScalarType.pvInt).add("s", ScalarType.pvString).endNested()
            .createStructure());
        PVStructureArray list = content.getSubField(PVStructureArray.class, "arr");
        PVStructure[] elements = new PVStructure[3];
        for (int i = 0; i < 2; i++) {
            elements[i] = DATA.createPVStructure(list.getStructureArray().getStructure());
            elements[i].getSubField(PVInt.class, "q").put(i + 1);
        }
        list.put(0, elements.length, elements, 0);
        PVScalar any = DATA.createPVScalar(ScalarType.pvULong);
        CONVERT.fromLong(any, -1);
        content.getSubField(PVUnion.class, "any").set(any);
        content.getSubField(PVUnion.class, "un").select(PVString.class, "s").put("sel");
        return content;
    }

    // ------------------------------------------------------------ changes

    /** Changes the named fields ("alarm.severity"), for clients all at once. */
    private static void set(PVStructure content, JsonObject fields) {
        for (Map.Entry<String, JsonElement> entry : fields.entrySet()) set(content.getSubField(entry.getKey()), entry.getValue());
    }

    private static void set(PVField field, JsonElement value) {
        if (field instanceof PVScalar scalar) set(scalar, value);
        else if (field instanceof PVScalarArray array) set(array, value.getAsJsonArray());
        else if (field instanceof PVStructure structure) set(structure.getSubField("index"), value);
        else throw new IllegalArgumentException("no such field");
    }

    private static void set(PVScalar field, JsonElement value) {
        switch (field.getScalar().getScalarType()) {
            case pvBoolean -> ((PVBoolean) field).put(value.getAsBoolean());
            case pvString -> ((PVString) field).put(value.getAsString());
            case pvFloat, pvDouble -> CONVERT.fromDouble(field, value.getAsDouble());
            default -> CONVERT.fromLong(field, bits(value));
        }
    }

    private static void set(PVScalarArray field, JsonArray value) {
        int n = value.size();
        List<JsonElement> list = value.asList();
        field.setLength(n);
        switch (field.getScalarArray().getElementType()) {
            case pvBoolean -> {
                boolean[] all = new boolean[n];
                for (int i = 0; i < n; i++) all[i] = list.get(i).getAsBoolean();
                ((PVBooleanArray) field).put(0, n, all, 0);
            }
            case pvString -> ((PVStringArray) field).put(0, n, list.stream().map(JsonElement::getAsString).toArray(String[]::new), 0);
            case pvFloat, pvDouble -> CONVERT.fromDoubleArray(field, 0, n, list.stream().mapToDouble(JsonElement::getAsDouble).toArray(), 0);
            default -> CONVERT.fromLongArray(field, 0, n, list.stream().mapToLong(PvaServer::bits).toArray(), 0);
        }
    }

    /** Of an integer, also of one that only an unsigned type holds. */
    private static long bits(JsonElement value) {
        return new BigInteger(value.getAsString()).longValue();
    }

    private static void change(String name, JsonObject fields) {
        PVRecord record = DATABASE.findRecord(name);
        if (record == null) throw new IllegalArgumentException("no record " + name);
        record.lock();
        try {
            record.beginGroupPut();
            set(record.getPVStructure(), fields);
            record.endGroupPut();
        } finally {
            record.unlock();
        }
    }

    private static void put(String name, JsonElement value, JsonArray timestamp) {
        Instant now = Instant.now();
        JsonObject fields = new JsonObject();
        fields.add("value", value);
        fields.addProperty("timeStamp.secondsPastEpoch", timestamp == null ? now.getEpochSecond() : timestamp.get(0).getAsLong());
        fields.addProperty("timeStamp.nanoseconds", timestamp == null ? now.getNano() : timestamp.get(1).getAsInt());
        change(name, fields);
    }

    /** n elements that count on from 0, but for the first, which is `first`. */
    private static void count(String name, int n, int first) {
        JsonArray list = new JsonArray(n);
        list.add(first);
        for (int i = 1; i < n; i++) list.add(i);
        put(name, list, null);
    }

    private static long ramp(JsonArray names, int n, double hz, int start) throws InterruptedException {
        long begin = System.nanoTime();
        for (int i = 0; i < n; i++) {
            for (JsonElement name : names) put(name.getAsString(), new Gson().toJsonTree(start + i), null);
            long wait = hz > 0 ? begin + (long) ((i + 1) * 1e9 / hz) - System.nanoTime() : 0;
            if (wait > 0) Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
        }
        return (long) n * names.size();
    }

    // ------------------------------------------------------------ requests

    private static Object answer(String op, JsonObject args) throws Exception {
        switch (op) {
            case "put" -> put(args.get("name").getAsString(), args.get("value"), args.getAsJsonArray("timestamp"));
            case "delta" -> change(args.get("name").getAsString(), args.getAsJsonObject("fields"));
            case "count" -> count(args.get("name").getAsString(), args.get("n").getAsInt(), args.get("first").getAsInt());
            case "ramp" -> {
                int start = args.has("start") ? args.get("start").getAsInt() : 1;
                return ramp(args.getAsJsonArray("names"), args.get("n").getAsInt(), args.get("hz").getAsDouble(), start);
            }
            default -> throw new IllegalArgumentException("no operation " + op);
        }
        return null;
    }

    private static synchronized void reply(PrintStream out, Map<String, Object> message) {
        out.println(new Gson().toJson(message));
    }

    private static void run(PrintStream out, JsonObject request) {
        Map<String, Object> message = new TreeMap<>(Map.of("id", request.get("id").getAsInt()));
        try {
            message.put("result", answer(request.get("op").getAsString(), request.getAsJsonObject("args")));
        } catch (Exception error) { // whatever went wrong belongs to the one who asked
            message.put("error", error.toString());
        }
        reply(out, message);
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        // What the libraries print is no reply.
        System.setOut(System.err);
        new PvaServer(args[0]).addAll();
        ServerContextImpl context = new ServerContextImpl();
        context.setBeaconServerStatusProvider(new DefaultBeaconServerDataProvider(context));
        context.initialize(ChannelProviderLocalFactory.getChannelProviderLocal());
        Thread server = new Thread(() -> {
            try {
                context.run(0);
            } catch (Exception error) {
                error.printStackTrace();
                System.exit(1);
            }
        });
        server.setDaemon(true);
        server.start();
        reply(out, Map.of("ready", true));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonObject request = JsonParser.parseString(line).getAsJsonObject();
            Thread worker = new Thread(() -> run(out, request));
            worker.setDaemon(true);
            // A ramp runs beside what else is asked.
            worker.start();
            if (!request.get("op").getAsString().equals("ramp")) worker.join();
        }
        System.exit(0);
    }
}
