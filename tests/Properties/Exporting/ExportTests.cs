using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.RegularExpressions;
using ShmCheck.Harness.Exporting;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Traces;
using ShmCheck.LiveTests;
using ShmCheck.Properties.CommandLine;
using ShmCheck.Properties.Live;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;
using Xunit.Abstractions;

namespace ShmCheck.Properties.Exporting;

/// <summary>Traces as C programs, which the running kernel judges.</summary>
[Collection(LiveKernel.Name)]
public sealed partial class ExportTests(LiveKernel live, ITestOutputHelper output) : IDisposable
{
    private const int Conforms = 0;
    private const int Diverges = 1;
    private const int Skipped = 77;
    private const int MostLines = 60;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [LiveTheory(LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    [InlineData("behaviour", 20)]
    [InlineData("kernel", 4)]
    [InlineData("regressions", 5)]
    [InlineData("rules", 2)]
    public void A_program_of_a_trace_that_Linux_follows_conforms(string folder, int atLeast) =>
        Assert.InRange(RunAll(folder, isOfTheMachine: false), atLeast, int.MaxValue);

    /// <summary>A kernel with a known defect in huge pages diverges where they are resident.
    /// </summary>
    [LiveTheory(
        LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler, LiveNeed.HugePages)]
    [InlineData("behaviour", 8)]
    public void So_does_one_with_huge_pages(string folder, int atLeast)
    {
        using (TakeMachine())
        {
            Assert.InRange(RunAll(folder, isOfTheMachine: true), atLeast, int.MaxValue);
        }
    }

    [LiveFact(LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    public void A_program_of_a_falsified_trace_diverges_and_says_where()
    {
        string file = Path.Combine(
            Repository.Root, "traces/behaviour/h18-fork-attaches-for-the-parent.shm");
        string text = File.ReadAllText(file);
        (int code, string told) = Run(CProgram.Of(
            TraceParser.Parse(file, text.Replace("nattch=2", "nattch=3", StringComparison.Ordinal)),
            out _));
        Assert.Equal((Diverges, "expected: s1 nattch=3\nseen: 2 \ndiverges\n"), (code, told));
        (code, told) = Run(CProgram.Of(
            TraceParser.Parse(file, text.Replace("= p2", "= -1 EAGAIN", StringComparison.Ordinal)),
            out _));
        Assert.Equal(Diverges, code);
        Assert.StartsWith(
            "expected: p1 fork() = -1 EAGAIN\nseen: ", told, StringComparison.Ordinal);
    }

    [LiveFact(LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler, LiveNeed.HugePages)]
    public void The_program_of_a_row_of_the_ledger_shows_the_defect_where_the_kernel_has_it()
    {
        LedgerRow row = KnownLedgers.Of("linux")!.Rows.Single(r => r.Name == "huge-rss");
        using (TakeMachine())
        {
            (int code, string told) = Run(CProgram.Of(row.Trace, out _));
            bool defective = KernelVersion.TryParse(
                File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), out KernelVersion version)
                && row.HoldsFor(version);
            Assert.Equal(defective ? Diverges : Conforms, code);
            Assert.Equal(defective, HasDefect(told));
        }
    }

    [LiveFact(LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    public void The_first_thread_of_a_process_may_end_before_another_one_executes()
    {
        LedgerRow row = KnownLedgers.Of("gvisor")!.Rows
            .Single(r => r.Name == "exec-waits-for-the-dead");
        (int code, string told) = Run(CProgram.Of(row.Trace, out _));
        Assert.True(code == Conforms, told);
    }

    [Theory]
    [InlineData("p2 exit(0) = 0", false)]
    [InlineData("p3 exit(0) = 0", true)]
    [InlineData("p2 exit_group(0) = 0", true)]
    public void Nobody_can_wait_for_the_end_of_another_thread(string end, bool isRefused)
    {
        string file = _folder.Write("a.shm", $"""
            # shmcheck trace 1
            machine profile=6.18 page=4096 frames=64
            p1 fork() = p2
            p2 clone(CLONE_VM|CLONE_THREAD) = p3
            {end}

            """);
        Assert.Equal(isRefused, Export(file) is null);
    }

    /// <summary>What one process does reads from top to bottom.</summary>
    [Theory]
    [InlineData("p1 mlock(a1, 4096) = 0", true)]
    [InlineData("p1 mlockall(MCL_FUTURE) = 0", false)]
    [InlineData("p1 setuid(1000) = 0", false)]
    [InlineData("observe p1 {RssShmem=0}", false)]
    [InlineData("p1 fork() = p2", false)]
    public void A_program_of_one_process_has_one_unless_it_would_see_itself(
        string line, bool isOfOne)
    {
        string file = _folder.Write("a.shm", $"""
            # shmcheck trace 1
            machine profile=6.18 page=4096 frames=64
            p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
            p1 shmat(s1, NULL, 0) = a1
            {line}

            """);
        Assert.Equal(isOfOne, Export(file)!.Contains("static int steps(void) {\n\tCALL(\"p1 shmget",
            StringComparison.Ordinal));
    }

    /// <summary>The process that makes the calls may be killed, or hang.</summary>
    [LiveTheory(LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    [InlineData("raise(SIGKILL)", "by a signal: Killed")]
    [InlineData("alarm(1), pause()", "by a signal: Alarm clock")]
    [InlineData("_exit(127)", "with exit code 127")]
    public void A_program_whose_process_is_ended_or_hangs_diverges_and_says_how(
        string what, string how)
    {
        string program = Export(Path.Combine(
            Repository.Root, "traces/behaviour/h11-a-hole-in-an-attach-makes-two.shm"))!;
        (int code, string told) = Run(program.Replace(
            "static int steps(void) {\n", $"static int steps(void) {{\n\t{what};\n",
            StringComparison.Ordinal));
        Assert.Equal((Diverges, $"ended {how}\ndiverges\n"), (code, told));
    }

    [LiveTheory(LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    [InlineData("p2 exit(0) = 0", "SYS_exit_group, 0")]
    [InlineData("p1 clone(CLONE_VM|CLONE_THREAD) = p3\np1 exit(0) = 0", "SYS_exit, 0")]
    public void A_program_whose_process_does_not_end_ends_itself(string lines, string end)
    {
        string program = Export(_folder.Write("a.shm", $"""
            # shmcheck trace 1
            machine profile=6.18 page=4096 frames=64
            p1 fork() = p2
            {lines}

            """))!;
        Assert.Contains(end, program, StringComparison.Ordinal);
        (int code, string told) = Run(program
            .Replace($"syscall({end})", "pause()", StringComparison.Ordinal)
            .Replace("alarm(60)", "alarm(1)", StringComparison.Ordinal));
        Assert.Equal((Diverges, "no answer in a minute\ndiverges\n"), (code, told));
    }

    [Fact]
    public void A_program_has_no_more_than_60_lines_beside_its_lists()
    {
        int programs = 0;
        foreach (string file in Directory.EnumerateDirectories(
            Path.Combine(Repository.Root, "traces")).SelectMany(Traces))
        {
            if (Export(file) is { } program)
            {
                Assert.InRange(LinesBesideLists(program), 1, MostLines);
                programs++;
            }
        }

        Assert.InRange(programs, 80, int.MaxValue);
    }

    /// <summary>But for the words of the trace, which stand on a line of their own.</summary>
    [Fact]
    public void Lines_of_a_program_of_one_process_keep_within_100_columns()
    {
        string[] programs =
        [
            .. Directory.EnumerateDirectories(Path.Combine(Repository.Root, "traces"))
                .SelectMany(Traces).Select(Export).OfType<string>()
                .Where(p => p.Contains("static int steps(void)", StringComparison.Ordinal)),
        ];

        Assert.InRange(programs.Length, 80, int.MaxValue);
        Assert.Empty(programs.SelectMany(program => program.Split('\n').Skip(1))
            .Where(line => line.Replace("\t", "        ", StringComparison.Ordinal).Length > 100)
            .Where(line => !line.StartsWith("\tCALL(\"", StringComparison.Ordinal)).Distinct());
    }

    [Theory]
    [InlineData("env reclaim(s1, 0-0)", "", "nobody can ask a kernel to do that")]
    [InlineData("p1 shmat(s1, NULL, 0) !bookkeeping#1 = -1 ENOMEM", "", "no kernel makes an alloc")]
    [InlineData("p1 swapoff() = 0", "swap=4", "swap belongs to the whole machine")]
    [InlineData("p1 shmat(s1, NULL, 0) = a1", "overcommit=2", "would refuse memory to every other")]
    public void What_no_program_can_do_is_refused(string line, string machine, string problem)
    {
        string file = _folder.Write("a.shm", $"""
            # shmcheck trace 1
            machine profile=6.18 page=4096 frames=64 {machine}
            p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
            {line}

            """);
        CommandRun run = CommandRun.Of("export", file, "--to", "c");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.StartsWith(
            $"shmcheck: {file}: cannot be exported: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(problem, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_has_what_was_expected_with_its_source_and_what_was_seen()
    {
        string file = Path.Combine(Repository.Root, "traces/faults/fork-forgets-the-attach.shm");
        CommandRun run = CommandRun.Of("export", file, "--to", "markdown");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("source: kernel/fork.c:copy_process", run.Out, StringComparison.Ordinal);
        Assert.Contains(
            "## Seen\n\ns1 nattch: expected 2 mappings, the system says 1\n", run.Out,
            StringComparison.Ordinal);
        Assert.Contains("```c\n// machine profile=6.18", run.Out, StringComparison.Ordinal);
        CommandRun conforming = CommandRun.Of(
            "export", file, "--to", "markdown", "--system", "impl");
        Assert.Contains("impl does as expected", conforming.Out, StringComparison.Ordinal);
    }

    /// <summary>Runs the programs of the traces of a folder.</summary>
    /// <returns>How many conform.</returns>
    private int RunAll(string folder, bool isOfTheMachine)
    {
        int conforming = 0;
        foreach (string file in Traces(folder))
        {
            if (Export(file) is { } program
                && program.Contains("/proc/sys/vm/", StringComparison.Ordinal) == isOfTheMachine)
            {
                (int code, string told) = Run(program);
                output.WriteLine($"{code} {Path.GetFileName(file)}: {told}");
                Assert.True(
                    code is Conforms or Skipped || HasDefect(told), $"{file}: {told}");
                conforming += code == Conforms ? 1 : 0;
            }
        }

        return conforming;
    }

    private static IEnumerable<string> Traces(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "traces", folder), "*.shm")
            .Order(StringComparer.Ordinal);

    private static string? Export(string file)
    {
        try
        {
            return CProgram.Of(TraceParser.ParseFile(file), out ImmutableArray<string> _);
        }
        catch (CannotExportException)
        {
            return null;
        }
    }

    private static bool HasDefect(string told) =>
        told.Contains("rss=512\nseen: 262144", StringComparison.Ordinal);

    /// <summary>Programs set the huge page pool, which is that of the whole machine.</summary>
    private MachineLock TakeMachine()
    {
        live.Release();
        return MachineLock.Take(
            Path.Combine(
                Directory.CreateDirectory(new LinuxOptions().StateDirectory).FullName, "lock"),
            LiveKernel.Patience);
    }

    private (int Code, string Told) Run(string program)
    {
        string source = _folder.Write("repro.c", program);
        string binary = _folder.PathOf("repro");
        (int code, string told) = Start(
            "cc", "-Wall", "-Wextra", "-Werror", "-o", binary, source);
        Assert.True(code == 0, told);
        return Start(binary);
    }

    private static (int Code, string Told) Start(string command, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string told = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, told + errors.Result);
    }

    /// <summary>Lines that are neither commentary nor blank, nor in the list of calls, nor in
    /// that of what the machine needs.</summary>
    private static int LinesBesideLists(string program)
    {
        string rest = CallList().Replace(program, "", 1);
        Assert.NotEqual(program, rest);
        return Need().Replace(rest, "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Count(line => !line.StartsWith("//", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"(?<=\n)static (void steps\(long me\)|int steps\(void\)) \{.*?\n\}\n",
        RegexOptions.Singleline)]
    private static partial Regex CallList();

    /// <summary>A statement, which may take several lines.</summary>
    [GeneratedRegex("""(?<=\n)\t(need\(|put\(|long old)([^;"]|"[^"]*")*;\n""")]
    private static partial Regex Need();
}
