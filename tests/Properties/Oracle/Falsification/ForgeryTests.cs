using ShmCheck.Properties.Strace;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>The forger himself: what he changes, and what he holds to be impossible.</summary>
public class ForgeryTests
{
    private const string Log = """
        10 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 0
        10 shmat(0, NULL, 0)                 = 0x7f0000002000
        10 shmctl(0, IPC_STAT,  <unfinished ...>
        11 shmdt(0x7f0000004000)             = -1 EINVAL (Invalid argument)
        10 <... shmctl resumed>{shm_perm={uid=0, mode=0600, key=0}, shm_nattch=1}) = 0
        10 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
        10 shmctl(0, SHM_INFO, {used_ids=1, shm_tot=1, shm_rss=0, shm_swp=0}) = 0

        """;

    private static readonly string[] _fields =
    [
        "shmget.id", "shmget.fails", "shmget.errno", "shmget.succeeds", "shmget.size",
        "shmat.address.unaligned", "shmat.address.overlap", "shmat.address.elsewhere",
        "shmat.fails", "shmat.errno", "shmat.succeeds", "shmdt.fails", "shmdt.errno",
        "shmdt.succeeds", "shmctl.id", "shmctl.highest", "shmctl.errno", "shmctl.succeeds",
        "IPC_RMID.fails", "IPC_SET.fails", "SHM_LOCK.fails", "SHM_UNLOCK.fails", "stat.uid",
        "stat.gid", "stat.cuid", "stat.cgid", "stat.mode", "stat.mode.DEST", "stat.mode.LOCKED",
        "stat.key", "stat.segsz", "stat.cpid", "stat.lpid", "stat.nattch", "stat.atime.zero",
        "stat.dtime.set", "stat.ctime.early", "stat.ctime.late", "stat.ctime.second",
        "info.shmmax", "info.shmmin", "info.shmmni", "info.shmseg", "info.shmall",
        "totals.used_ids", "totals.shm_tot", "totals.shm_rss.lower", "totals.shm_rss.beyond",
        "totals.shm_swp", "totals.swap_attempts", "mmap.address.overlap",
        "mlock.fails", "munlock.fails",
    ];

    [Fact]
    public void A_forgery_changes_one_place_of_one_line() => Assert.All(
        Falsifier.All(Log, null), forgery =>
        {
            string[] before = Log.Split('\n');
            string[] after = forgery.Apply(Log).Split('\n');
            int changed = Assert.Single(
                Enumerable.Range(0, before.Length), line => before[line] != after[line]);

            Assert.Equal(forgery.Line, changed + 1);
            Assert.Contains(forgery.Old, before[changed], StringComparison.Ordinal);
            Assert.NotEqual(forgery.Old, forgery.New);
        });

    [Fact]
    public void Figures_of_a_resumed_call_are_found_on_the_line_of_its_return()
    {
        Forgery attaches = Assert.Single(
            Falsifier.All(Log, null), forgery => forgery is { Field: "stat.nattch", New: "2" });

        Assert.Equal((5, "1", Doubt.Overlap), (attaches.Line, attaches.Old, attaches.Doubt));
    }

    [Fact]
    public void An_address_inside_a_live_attach_is_forged_while_the_attach_lives()
    {
        const string detach = "10 shmdt(0x7f0000002000)             = 0\n";
        int mapping = Log.IndexOf("10 mmap", StringComparison.Ordinal);

        Assert.Contains(
            Falsifier.All(Log, null),
            forgery => forgery is { Field: "mmap.address.overlap", New: "0x7f0000002000" });
        Assert.DoesNotContain(
            Falsifier.All(Log.Insert(mapping, detach), null),
            forgery => forgery.Field == "mmap.address.overlap");
    }

    [Fact]
    public void A_moved_mapping_is_forged_onto_a_live_attach()
    {
        const string move =
            "10 mremap(0x7f1000000000, 4096, 8192, MREMAP_MAYMOVE) = 0x7f2000000000\n";

        Assert.Contains(
            Falsifier.All(Log + move, null),
            forgery => forgery is { Field: "mremap.address.overlap", New: "0x7f0000002000" });
    }

    [Fact]
    public void An_unaligned_address_and_a_smallest_size_beyond_one_byte_are_never_possible()
    {
        const string limits = "10 shmctl(0, IPC_INFO, {shmmax=5, shmmin=1, shmmni=2}) = 0\n";

        Assert.All(
            Falsifier.All(Log + limits, null).Where(forgery =>
                forgery.Field is "shmat.address.unaligned" or "info.shmmin"),
            forgery => Assert.True(forgery.IsCertainlyWrong));
    }

    [Fact]
    public void Text_inside_arguments_is_no_call() => Assert.Empty(Falsifier.All(
        "10 write(1, \"shmget(IPC_PRIVATE, 1, 0) = 0\", 29) = 29\n", null));

    [Fact]
    public void A_sample_is_the_same_each_time_and_has_every_field()
    {
        IReadOnlyList<Forgery> all = Falsifier.All(Log, null);
        Forgery[] sample = [.. Falsifier.Sample(all, 1, 3)];

        Assert.Equal(sample, Falsifier.Sample(all, 1, 3));
        Assert.Equal(
            all.Select(forgery => forgery.Field).Distinct().Order(),
            sample.Select(forgery => forgery.Field).Distinct().Order());
    }

    [Fact]
    public void Every_field_is_falsified_somewhere_in_the_recorded_logs()
    {
        var fields = new HashSet<string>();
        foreach (string log in RecordedLogs.WithSidecar)
        {
            string path = RecordedLogs.PathOf(log);
            string? sidecar = Systems.Strace.SidecarFile.PathFor(path);
            fields.UnionWith(Falsifier.All(File.ReadAllText(path), sidecar)
                .Select(forgery => forgery.Field));
        }

        Assert.Empty(_fields.Except(fields));
    }
}
