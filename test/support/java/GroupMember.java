// A member of a consumer group, Java's own client with its defaults: as test/support/python/group_member.py.

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

public class GroupMember {
    private static volatile boolean going = true;

    private static void say(String what, String value) {
        System.out.println("{\"" + what + "\":\"" + value.replaceAll("[\"\\\\\n]", " ") + "\"}");
        System.out.flush();
    }

    public static void main(String[] args) throws InterruptedException {
        Properties options = new Properties();
        options.put("bootstrap.servers", args[0]);
        options.put("group.id", args[1]);
        options.put("auto.offset.reset", "earliest");
        options.put("enable.auto.commit", "false");
        options.put("session.timeout.ms", "6000");
        options.put("heartbeat.interval.ms", "500");
        options.put("max.poll.records", "1");
        KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(options, new StringDeserializer(), new StringDeserializer());
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            going = false;
            try {
                main.join();
            } catch (InterruptedException error) {
                // it ends anyway
            }
        }));
        consumer.subscribe(List.of(args[2]), new ConsumerRebalanceListener() {
            public void onPartitionsRevoked(Collection<TopicPartition> gone) {}

            public void onPartitionsAssigned(Collection<TopicPartition> mine) {
                say("joined", mine.toString());
            }
        });
        try {
            while (going)
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    say("taking", record.value());
                    TopicPartition place = new TopicPartition(record.topic(), record.partition());
                    try {
                        consumer.commitSync(Map.of(place, new OffsetAndMetadata(record.offset() + 1)));
                        say("took", record.value());
                    } catch (KafkaException error) {
                        say("log", error.toString());
                    }
                }
        } finally {
            consumer.close();
        }
    }
}
