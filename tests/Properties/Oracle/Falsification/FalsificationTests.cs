using ShmCheck.Properties.Strace;
using Xunit.Abstractions;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>The oracle against a forger: copies of recorded logs with one figure or one error
/// changed.</summary>
/// <remarks><c>SHMCHECK_FALSIFY=all</c> takes all logs and more of each.</remarks>
public class FalsificationTests(ITestOutputHelper output)
{
    private const uint Seed = 7;

    /// <summary>Falsifications of the sample that were noticed when this was last changed.
    /// </summary>
    private const int NoticedAtLeast = 758;

    private static readonly string[] _sample =
    [
        "buffer/copy.strace",
        "format-variants/ltp-shmat01_f.strace",
        "format-variants/stress-ng_f-Xraw.strace",
        "format-variants/stress-ng_f-Xverbose.strace",
        "format-variants/stress-ng_ff-ttt.strace",
        "format-variants/stress-ng_stderr-style.strace",
        "gvisor/AttachDetach.strace",
        "gvisor/IpcStat.strace",
        "libc-tests/musl-ipc_shm.strace",
        "libhugetlbfs/shm-fork-4x2-shmmax.strace",
        "ltp-hugeshm/hugeshmctl01.strace",
        "ltp-hugeshm/hugeshmget05.strace",
        "ltp-i386/shmctl07.strace",
        "ltp-misc/mremap04.strace",
        "ltp/shmat01.strace",
        "ltp/shmctl03.strace",
        "ltp/shmctl04.strace",
        "ltp/shmget02.strace",
        "ltp/shmget04.strace",
        "perl-IPC-Shareable/75-graceful.strace",
        "postgresql/sysv-kill9-postmaster-restart.strace",
        "strace-tests/shmxt.strace",
        "stress-ng/shm-sysv-default.strace",
        "util-linux-noproc/ipcs-forms.strace",
        "util-linux/nobody-vs-root.strace",
    ];

    private static bool IsAll =>
        Environment.GetEnvironmentVariable("SHMCHECK_FALSIFY") == "all";

    [Fact]
    public void What_no_kernel_does_is_noticed_and_what_is_not_noticed_is_accounted_for()
    {
        var census = new Census(TheOracle.Judge);
        foreach (string log in IsAll ? RecordedLogs.WithSidecar : _sample)
        {
            (string text, string? sidecar) = Read(log);
            if (TheOracle.Judge(text, sidecar).Judgement == Judgement.Explained)
            {
                census.Take(log, text, sidecar, Falsifier.Sample(
                    Falsifier.All(text, sidecar), IsAll ? 5 : 1, Seed));
            }
        }

        output.WriteLine(census.Table());
        foreach ((string log, Forgery forgery) in census.Survivors)
        {
            output.WriteLine($"{log} {forgery}: {Accounts.Of(log, forgery) ?? "UNACCOUNTED"}");
        }

        Assert.Empty(census.Survivors
            .Where(survivor => Accounts.Of(survivor.Log, survivor.Forgery) is null)
            .Select(survivor => $"{survivor.Log} {survivor.Forgery}"));
        Assert.True(
            census.Noticed >= NoticedAtLeast,
            $"{census.Noticed} noticed, fewer than {NoticedAtLeast}");
    }

    [Fact]
    public void Every_log_of_the_sample_is_explained_before_it_is_falsified() =>
        Assert.Empty(_sample
            .Select(log => (Log: log, Verdict: Judge(log)))
            .Where(judged => judged.Verdict.Judgement != Judgement.Explained)
            .Select(judged => $"{judged.Log}:{judged.Verdict.Line} {judged.Verdict.Reason}"));

    [Fact]
    public void A_census_counts_as_survivors_what_its_judge_lets_pass()
    {
        (string text, string? sidecar) = Read("gvisor/IpcStat.strace");
        IReadOnlyList<Forgery> forgeries = Falsifier.All(text, sidecar);
        var blind = new Census((_, _) => new Verdict(Judgement.Explained, 0, ""));
        var strict = new Census((_, _) => new Verdict(Judgement.Unexplained, 1, "never"));

        blind.Take("IpcStat", text, sidecar, forgeries);
        strict.Take("IpcStat", text, sidecar, forgeries);

        Assert.Equal((0, forgeries.Count), (blind.Noticed, blind.Survivors.Count));
        Assert.Equal((forgeries.Count, 0), (strict.Noticed, strict.Survivors.Count));
        Assert.Contains(
            blind.Survivors, survivor => Accounts.Of(survivor.Log, survivor.Forgery) is null);
    }

    private static Verdict Judge(string log)
    {
        (string text, string? sidecar) = Read(log);
        return TheOracle.Judge(text, sidecar);
    }

    private static (string Text, string? Sidecar) Read(string log)
    {
        string path = RecordedLogs.PathOf(log);
        return (File.ReadAllText(path), Systems.Strace.SidecarFile.PathFor(path));
    }
}
