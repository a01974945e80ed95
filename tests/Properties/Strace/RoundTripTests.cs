using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Random calls, printed as strace would in a random format, read back.</summary>
public class RoundTripTests
{
    private const int Calls = 20;

    [Fact]
    public void What_is_printed_in_any_format_is_read_back() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var printer = new Printer(new Random(seed));
            StraceLog log = StraceLog.Read(new StringReader(printer.Text), "printed");
            List<Printed> read = [.. log.Calls.Select(call =>
                new Printed(call.Name, call.Task ?? 0, call.Arguments, call.Result.Kind,
                    call.Result.Value))];

            Assert.Equal(printer.Printed, read);
            Assert.Equal(0, log.Format.StrayLines);
        }).QuickCheckThrowOnFailure();

    private sealed record Printed(
        string Name, int Task, SyscallArguments Arguments, ResultKind Kind, long Value);

    private enum Style
    {
        Abbrev,
        Raw,
        Verbose,
    }

    /// <summary>Prints a log of a few tasks, some calls in two halves.</summary>
    private sealed class Printer
    {
        private readonly Random _random;
        private readonly Style _style;
        private readonly bool _marked;
        private readonly string _stamp;
        private readonly bool _hasDuration;
        private readonly int _column;
        private readonly StringBuilder _text = new();
        private readonly SortedDictionary<int, string> _open = [];

        public Printer(Random random)
        {
            _random = random;
            _style = (Style)random.Next(3);
            _marked = random.Next(4) > 0;
            _hasDuration = random.Next(2) == 0;
            _column = random.Next(3) == 0 ? 1 : 40;
            _stamp = random.Next(5) switch
            {
                0 => "01:02:03 ",
                1 => "01:02:03.000004 (+     0.000001) ",
                2 => "1795223538.950956 ",
                3 => "     0.000123 [  31] [00007f0000000000] ",
                _ => "",
            };
            for (int i = 0; i < Calls; i++)
            {
                PrintCall();
            }

            foreach (int task in _open.Keys.ToList())
            {
                Finish(task);
            }
        }

        public List<Printed> Printed { get; } = [];

        public string Text => _text.ToString();

        private void PrintCall()
        {
            int task = _marked ? 1000 + _random.Next(3) : 0;
            if (_open.ContainsKey(task))
            {
                Finish(task);
                return;
            }

            (string name, string first, string second, SyscallArguments arguments) = Draw();
            (string result, ResultKind kind, long value) = DrawResult(name);
            Printed.Add(new Printed(name, task, arguments, kind, value));
            if (_marked && _random.Next(3) == 0)
            {
                PrintLine(task, $"{name}({first} <unfinished ...>");
                _open[task] = Aligned($"<... {name} resumed>{second})", result, task);
                return;
            }

            PrintLine(task, Aligned($"{name}({first}{second})", result, task));
        }

        private void Finish(int task)
        {
            PrintLine(task, _open[task]);
            _open.Remove(task);
        }

        private void PrintLine(int task, string body) =>
            _text.Append(Prefix(task)).Append(body).Append('\n');

        private string Prefix(int task) => (_marked ? $"{task}  " : "") + _stamp;

        private string Aligned(string call, string result, int task)
        {
            int width = Math.Max(0, _column - Prefix(task).Length);
            return $"{(call + " ").PadRight(width)}= {result}"
                + (_hasDuration && result != "?" ? " <0.000012>" : "");
        }

        private (string Text, ResultKind Kind, long Value) DrawResult(string name)
        {
            long value = _random.NextInt64(int.MaxValue);
            return _random.Next(4) switch
            {
                0 => ("-1 EINVAL (Invalid argument)", ResultKind.Error, -1),
                1 => ("?", ResultKind.NoReturn, 0),
                _ when name == "shmat" => ($"0x{value << 12:x}", ResultKind.Value, value << 12),
                _ => ($"{value}", ResultKind.Value, value),
            };
        }

        private (string Name, string First, string Second, SyscallArguments Arguments) Draw()
        {
            int id = _random.Next(-1, 100_000);
            ulong address = _random.Next(3) == 0 ? 0 : (ulong)_random.NextInt64() >> 17;
            switch (_random.Next(5))
            {
                case 0:
                    var key = new ShmKey(_random.Next(3) == 0 ? 0 : _random.Next());
                    ulong size = (ulong)_random.NextInt64();
                    var create = new ShmGetFlags(_random.Next() & _random.Next());
                    return ("shmget", $"{KeyText(key)}, {size}, {FlagsText(create)}", "",
                        new ShmGetArguments(key, size, create));
                case 1:
                    var flags = new ShmAtFlags(_random.Next() & _random.Next() & _random.Next());
                    return ("shmat", $"{id}, {new Address(address)}, {FlagsText(flags)}", "",
                        new ShmAtArguments(id, address, flags));
                case 2:
                    return ("shmdt", $"{new Address(address)}", "", new ShmDtArguments(address));
                case 3:
                    SegmentStat stat = DrawStat();
                    return ("shmctl", $"{id}, {CommandText(ShmCommand.IPC_STAT)}, ",
                        StructText(stat),
                        new ShmCtlArguments(id, (int)ShmCommand.IPC_STAT, null, stat));
                default:
                    ShmCommand command = _random.Next(2) == 0
                        ? ShmCommand.IPC_RMID : ShmCommand.SHM_LOCK;
                    return ("shmctl", $"{id}, {CommandText(command)}, {new Address(address)}", "",
                        new ShmCtlArguments(id, (int)command, address));
            }
        }

        private SegmentStat DrawStat() => new(
            _random.Next(int.MinValue, int.MaxValue), _random.Next(-1, 70000),
            _random.Next(70000),
            _random.Next(70000), _random.Next(70000), _random.Next(0x800),
            (ulong)_random.NextInt64(), _random.Next(40000), _random.Next(40000),
            (ulong)_random.Next(100), Stamp.At(_random.Next()), Stamp.Never,
            Stamp.At(_random.Next()));

        private static string StructText(SegmentStat stat)
        {
            string mode = Convert.ToString(stat.Mode, 8).PadLeft(3, '0');
            mode = mode[0] == '0' ? mode : "0" + mode;
            return $"{{shm_perm={{uid={stat.Uid}, gid={stat.Gid}, mode={mode}, "
                + $"key={(uint)stat.Key}, cuid={stat.Cuid}, cgid={stat.Cgid}}}, "
                + $"shm_segsz={stat.SegmentSize}, shm_cpid={stat.CreatorPid}, "
                + $"shm_lpid={stat.LastPid}, shm_nattch={stat.Attaches}, "
                + $"shm_atime={stat.AttachTime}, shm_dtime=0, shm_ctime={stat.ChangeTime}}}";
        }

        private string KeyText(ShmKey key) => key.IsPrivate && _style != Style.Abbrev
            ? _style == Style.Raw ? "0" : "0 /* IPC_PRIVATE */" : $"{key}";

        private string CommandText(ShmCommand command) => _style switch
        {
            Style.Abbrev => $"{command}",
            Style.Raw => command == 0 ? "0" : $"0x{(int)command:x}",
            _ => (command == 0 ? "0" : $"0x{(int)command:x}") + $" /* {command} */",
        };

        private string FlagsText(ShmAtFlags flags) => _style switch
        {
            Style.Abbrev => $"{flags}",
            _ when flags.Raw == 0 => "0",
            Style.Raw => $"0x{flags.Raw:x}",
            _ => $"0x{flags.Raw:x} /* {flags} */",
        };

        private string FlagsText(ShmGetFlags flags)
        {
            const int hugeMask = ShmGetFlags.SHM_HUGE_MASK << ShmGetFlags.SHM_HUGE_SHIFT;
            if (_style == Style.Abbrev)
            {
                return $"{flags}";
            }

            string mode = Convert.ToString(flags.Mode, 8).PadLeft(3, '0');
            mode = mode[0] == '0' ? mode : "0" + mode;
            int rest = flags.Raw & ~hugeMask & ~ShmGetFlags.ModeMask;
            string comment = _style == Style.Verbose ? " /* IPC_CREAT|IPC_EXCL|0x2 */" : "";
            string shift = _style == Style.Verbose ? " /* SHM_HUGE_SHIFT */" : "";
            return (rest == 0 ? "" : $"0x{rest:x}{comment}|")
                + (flags.HugeSizeLog2 == 0 ? "" : $"{flags.HugeSizeLog2}<<26{shift}|") + mode;
        }
    }
}
