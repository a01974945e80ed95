using System.Diagnostics;
using System.Text;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Damaged logs: whatever stands in a text, it is read or refused, and nothing else.
/// </summary>
public class FuzzTests
{
    /// <summary>Inputs of a run of the tests; SHMCHECK_STRACE_INPUTS asks for more.</summary>
    private const int UsualInputs = 30_000;

    private static readonly string[] _lines = [.. Directory
        .EnumerateFiles(RecordedLogs.Folder, "*.strace", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).SelectMany(File.ReadLines).Where(line => line.Length < 400)];

    private static readonly string[] _pieces =
    [
        "99999999999999999999", "0xffffffffffffffffff", "-1", "\0", "\"", "\\", "<", ">", "<<",
        "((((", "))))", "[{[{[{", "/*", "*/", " <unfinished ...>", "<... shmat resumed>", ") = ?",
        ")      = 0", "+++ exited with 0 +++", "--- SIGSEGV {} ---", "strace: Process 5 attached",
        "[pid 5] ", "==> log.5 <==", "% time ", " > ", " | ", "\t", "é", "\r", ", ", " = ", "|",
        "1<<63", "1<<64", "8*8*8", "{shm_perm={}}", "00:00:00 ", "5<a", "IPC_64|", "NULL", "...",
    ];

    [Fact]
    public void A_damaged_log_is_read_or_refused()
    {
        int inputs = int.TryParse(
            Environment.GetEnvironmentVariable("SHMCHECK_STRACE_INPUTS"), out int more)
            ? more : UsualInputs;
        var random = new Random(20);
        var watch = Stopwatch.StartNew();
        int read = 0;
        for (int i = 0; i < inputs; i++)
        {
            string text = Damage(random);
            try
            {
                Check(StraceLog.Read(new StringReader(text), "damaged"), text);
                read++;
            }
            catch (StraceFormatException refused)
            {
                CheckPosition(refused.Error.Line, refused.Error.Column, text);
            }
            catch (Exception other) when (other is not Xunit.Sdk.XunitException)
            {
                throw new InvalidOperationException($"input {i}:\n{text}", other);
            }
        }

        Console.WriteLine($"{inputs} damaged logs, {read} of them read, "
            + $"{inputs / watch.Elapsed.TotalSeconds:f0} per second");
        Assert.InRange(read, inputs / 2, inputs - 1);
    }

    [Fact]
    public void A_damaged_sidecar_is_read_or_refused()
    {
        string[] sidecars = [.. RecordedLogs.WithSidecar.Take(20).Select(log =>
            File.ReadAllText(SidecarFile.PathFor(RecordedLogs.PathOf(log)) ?? ""))];
        var random = new Random(21);
        int refusals = 0;
        for (int i = 0; i < 3000; i++)
        {
            var text = new StringBuilder(sidecars[random.Next(sidecars.Length)]);
            DamageLine(text, random);
            try
            {
                SidecarFile.Parse(text.ToString(), "damaged");
            }
            catch (StraceFormatException refused)
            {
                refusals++;
                Assert.True(refused.Error.Line > 0 && refused.Error.Column > 0);
            }
        }

        Assert.InRange(refusals, 1, 2999);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("{[")]
    [InlineData("a<")]
    [InlineData(") = 1 (")]
    [InlineData("\"")]
    [InlineData("/*")]
    [InlineData("|1<<1")]
    [InlineData("<... shmdt resumed>")]
    public void A_long_line_of_one_kind_is_read_in_time(string piece)
    {
        var text = new StringBuilder("7     shmdt(NULL) = 0\n7     shmctl(");
        for (int i = 0; i < 50_000; i++)
        {
            text.Append(piece);
        }

        var watch = Stopwatch.StartNew();
        StraceLog log = StraceLog.Read(new StringReader(text.Append('\n').ToString()), "long");

        Assert.Equal(2, log.Calls.Count);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_log_of_two_megabytes_is_read_well_within_a_second()
    {
        string lines = File.ReadAllText(RecordedLogs.PathOf("postgresql/sysv-pgbench.strace"));
        string text = string.Concat(Enumerable.Repeat(lines, 1 + 2_000_000 / lines.Length));
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            var watch = Stopwatch.StartNew();
            StraceLog log = StraceLog.Read(new StringReader(text), "long");
            best = watch.Elapsed < best ? watch.Elapsed : best;
            Assert.Equal(0, log.Format.UndecodedCalls + log.Format.StrayLines);
        }

        Assert.InRange(best, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Memory_is_proportional_to_the_log()
    {
        string lines = File.ReadAllText(RecordedLogs.PathOf("postgresql/sysv-pgbench.strace"));
        string longer = string.Concat(Enumerable.Repeat(lines, 8));
        Allocated(lines);
        long once = Allocated(lines);
        long eightTimes = Allocated(longer);

        Assert.InRange(eightTimes, 7 * once, 9 * once);
        Assert.InRange(once, lines.Length, 40L * lines.Length);

        static long Allocated(string text)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            StraceLog.Read(new StringReader(text), "long");
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static string Damage(Random random)
    {
        int first = random.Next(_lines.Length - 8);
        List<string> lines = [.. _lines.Skip(first).Take(1 + random.Next(6))];
        for (int i = random.Next(4); i >= 0; i--)
        {
            DamageLines(lines, random);
        }

        var text = new StringBuilder(string.Join('\n', lines));
        for (int i = random.Next(3); i > 0; i--)
        {
            DamageLine(text, random);
        }

        return text.Append(random.Next(4) == 0 ? "" : "\n").ToString();
    }

    private static void DamageLines(List<string> lines, Random random)
    {
        int at = random.Next(lines.Count);
        int other = random.Next(lines.Count);
        switch (random.Next(6))
        {
            case 0:
                lines.Insert(at, lines[other]);
                break;
            case 1:
                (lines[at], lines[other]) = (lines[other], lines[at]);
                break;
            case 2:
                lines[at] = lines[at][..random.Next(lines[at].Length + 1)];
                break;
            case 3:
                lines[at] = lines[at][random.Next(lines[at].Length + 1)..];
                break;
            case 4:
                lines.Insert(at, _lines[random.Next(_lines.Length)]);
                break;
            default:
                lines[at] += lines[other];
                break;
        }
    }

    private static void DamageLine(StringBuilder text, Random random)
    {
        if (text.Length == 0)
        {
            return;
        }

        int at = random.Next(text.Length);
        switch (random.Next(5))
        {
            case 0:
                text[at] = (char)(text[at] ^ (1 << random.Next(8)));
                break;
            case 1:
                text.Insert(at, _pieces[random.Next(_pieces.Length)]);
                break;
            case 2:
                text.Remove(at, Math.Min(1 + random.Next(8), text.Length - at));
                break;
            case 3:
                text.Insert(at, new string(text[at], 1 + random.Next(200)));
                break;
            default:
                text[at] = (char)random.Next(' ', 0x7f);
                break;
        }
    }

    private static void Check(StraceLog log, string text)
    {
        Assert.NotEmpty(log.Events);
        foreach (StraceEvent happened in log.Events)
        {
            CheckPosition(happened.Position.Line, happened.Position.Column, text);
        }

        int[] indices = [.. log.Calls.Select(call => call.Index)];
        Assert.Equal(Enumerable.Range(0, log.Calls.Count), indices);
        foreach (StraceCall call in log.Calls)
        {
            if (call.Arguments is UndecodedArguments undecoded)
            {
                CheckPosition(undecoded.Position.Line, undecoded.Position.Column, text);
                Assert.NotEmpty(undecoded.Expected);
            }

            bool hasEnd = call.Completion is CallCompletion.Returned
                || (call.Completion == CallCompletion.EntryMissing && call.Exit is not null);
            Assert.Equal(hasEnd, call.Result.Kind != ResultKind.None);
            Assert.Equal(hasEnd, call.Exit is not null);
        }
    }

    private static void CheckPosition(int line, int column, string text)
    {
        string[] lines = text.Split('\n');
        Assert.InRange(line, 1, lines.Length);
        Assert.InRange(column, 1, lines[line - 1].Length + 1);
    }
}
