package duban.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The work of tests/bench/rounds on Kafka Streams: submissions in, notifications and history out, exactly once, four stores.
 *
 * <p>usage: Rounds same|bare BROKER PREFIX FOLDER [SETTING=VALUE...]. Prints "ready" when it runs, and ends on SIGTERM. same: what
 * duband does; bare: without history, checks and lookup of ids.
 */
public final class Rounds {
    private Rounds() {}

    public static void main(String[] args) throws InterruptedException {
        if (args.length < 4 || !List.of("same", "bare").contains(args[0])) {
            System.err.println("usage: Rounds same|bare BROKER PREFIX FOLDER [SETTING=VALUE...]");
            System.exit(2);
        }
        String prefix = args[2];
        Properties settings = settings(args[1], prefix, Path.of(args[3]));
        for (int i = 4; i < args.length; i++) {
            String[] setting = args[i].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        KafkaStreams streams = new KafkaStreams(topology(prefix, args[0].equals("bare")), settings);
        CountDownLatch ended = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("ready");
            } else if (now == KafkaStreams.State.ERROR) {
                ended.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        ended.await();
        Runtime.getRuntime().halt(1);
    }

    static Topology topology(String prefix, boolean bare) {
        Topology topology = new Topology();
        topology.addSource("in", new ByteArrayDeserializer(), new ByteArrayDeserializer(), prefix + "submissions");
        topology.addProcessor("turn", () -> new Turn(bare), "in");
        for (String store : List.of(Turn.INSTANCES, Turn.TIMERS, Turn.SEEN)) {
            topology.addStateStore(store(store), "turn");
        }
        if (!bare) {
            topology.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(History.STORE), Serdes.ByteArray(),
                    Serdes.ByteArray()).withCachingEnabled(), "turn");
        }
        for (String sink : bare ? List.of("notifications") : List.of("notifications", "history", "rejected")) {
            topology.addSink(sink, prefix + sink, new ByteArraySerializer(), new ByteArraySerializer(),
                    (topic, key, value, partitions) -> Optional.of(Set.of(0)), "turn");
        }
        return topology;
    }

    private static StoreBuilder<KeyValueStore<byte[], byte[]>> store(String name) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.ByteArray(), Serdes.ByteArray());
    }

    /** Every setting that is not the default is one that README.md gives the advice for. */
    static Properties settings(String broker, String prefix, Path folder) {
        String name = prefix.replace(".", "");
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, name);
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        p.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        p.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedMemory.class);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), name + "-0");
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 128 * 1024);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        p.put(StreamsConfig.topicPrefix(TopicConfig.SEGMENT_BYTES_CONFIG), 128 * 1024 * 1024);
        p.put(StreamsConfig.topicPrefix(TopicConfig.DELETE_RETENTION_MS_CONFIG), 604_800_000);
        return p;
    }
}
