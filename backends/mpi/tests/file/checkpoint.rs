//! Checkpoints: saved on some ranks, restored on others, and what is refused.

use crate::folder::{Folder, names};
use crate::{RANKS, distributions, elements, error, own};
use cuprous_mpi::Distribution;
use cuprous_mpi::comm::Communicator;
use cuprous_mpi::comm::collective::checks;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::file::checkpoint::{Checkpoint, Entry};
use cuprous_mpi::file::{FileError, Kind};
use dsl_runtime::ir::{Const, ScalarType};
use std::fs;
use std::path::Path;

/// Saves arrays of every type, cut in different ways, whose elements and one scalar depend on `step`.
fn save(comm: &dyn Communicator, folder: &Path, step: u64) -> Result<(), FileError> {
    let (arrays, cuts) = arrays(comm.size(), step);
    let entries: Vec<Entry<'_>> = arrays
        .iter()
        .zip(&cuts)
        .map(|((name, elem, shape, all), rows)| Entry {
            name,
            elem: *elem,
            shape,
            rows,
            own: own(rows, comm.rank(), all),
        })
        .collect();
    Checkpoint::save(comm, folder, &entries, &scalars(step))
}

type Whole = (String, ScalarType, Vec<usize>, Vec<u8>);

fn arrays(ranks: usize, step: u64) -> (Vec<Whole>, Vec<Distribution>) {
    let shapes: [&[usize]; 4] = [&[30], &[5, 4], &[], &[0, 3]];
    ScalarType::ALL
        .iter()
        .enumerate()
        .map(|(at, &elem)| {
            let shape = shapes[at % 4].to_vec();
            let mut all = elements(elem, shape.iter().product());
            all.iter_mut().for_each(|byte| *byte ^= step as u8 & 1);
            let rows = shape.first().copied().unwrap_or(1);
            let cut = distributions(rows, ranks)[at / 4 % 4].clone();
            ((format!("of[{elem}]"), elem, shape, all), cut)
        })
        .unzip()
}

fn scalars(step: u64) -> [(&'static str, Const); 4] {
    [
        ("step", Const::u64(step)),
        ("dt", Const::f64(0.1 + step as f64)),
        ("nan", Const::f32(f32::from_bits(0x7fa0_0001))),
        ("negative", Const::i16(-5)),
    ]
}

/// Whether the newest checkpoint is the one of this step, as it is read on so many ranks.
fn holds(folder: &Path, step: u64, ranks: usize) {
    run(ranks, |comm| {
        let comm = &*comm;
        let saved = Checkpoint::open(comm, folder)
            .unwrap()
            .expect("there is one");
        for (name, value) in scalars(step) {
            assert_eq!(saved.scalar(name), Ok(value));
        }
        assert_eq!(
            saved.scalars().collect::<Vec<_>>(),
            scalars(step).map(|(name, _)| name)
        );
        let (arrays, _) = arrays(ranks, step);
        assert_eq!(saved.arrays().count(), arrays.len());
        for (at, (name, elem, shape, all)) in arrays.iter().enumerate() {
            let header = saved.header(name).unwrap();
            assert_eq!((header.elem, &header.shape), (*elem, shape));
            let rows = &distributions(header.rows(), ranks)[at % 4];
            let found = saved.read(comm, name, rows).unwrap();
            assert_eq!(found, own(rows, comm.rank(), all));
        }
    });
}

/// Saves on so many ranks; all succeed.
fn saved(folder: &Path, step: u64, ranks: usize) {
    let results = run(ranks, |comm| save(&*comm, folder, step));
    assert_eq!(results, vec![Ok(()); ranks]);
}

fn none(folder: &Path) {
    for ranks in RANKS {
        let found = run(ranks, |comm| {
            Checkpoint::open(&*comm, folder).unwrap().is_none()
        });
        assert_eq!(found, vec![true; ranks]);
    }
}

#[test]
fn saved_on_some_ranks_and_restored_on_others() {
    let folder = Folder::new("restored");
    let inner = folder.join("not/there/yet");
    let mut step = 0;
    none(&inner);
    for from in RANKS {
        for to in RANKS {
            step += 1;
            saved(&inner, step, from);
            holds(&inner, step, to);
            // The one before is gone.
            assert_eq!(names(&inner), [step.to_string(), "current".into()]);
        }
    }
}

#[test]
fn files_do_not_depend_on_the_ranks() {
    let contents = |ranks| {
        let folder = Folder::new("same");
        saved(&folder, 3, ranks);
        let own = folder.join("1");
        let files: Vec<_> = names(&own)
            .into_iter()
            .map(|name| fs::read(own.join(name)).unwrap())
            .collect();
        (names(&own), files)
    };
    let one = contents(1);
    assert_eq!(one.0.len(), ScalarType::ALL.len() + 1);
    for ranks in RANKS {
        assert!(contents(ranks) == one);
    }
}

#[test]
fn nothing_to_save_and_no_array() {
    let folder = Folder::new("nothing");
    for scalars in [&[][..], &[("only", Const::bool(true))]] {
        run(3, |comm| {
            Checkpoint::save(&*comm, &*folder, &[], scalars).unwrap();
            let saved = Checkpoint::open(&*comm, &*folder).unwrap().unwrap();
            assert_eq!(saved.scalars().count(), scalars.len());
        });
    }
}

#[test]
fn messages() {
    let folder = Folder::new("checkpoint-messages");
    for ranks in RANKS {
        let rounds = u64::from(ranks.next_power_of_two().trailing_zeros());
        let check = if checks() { rounds } else { 0 };
        run(ranks, |comm| {
            let before = comm.sent();
            save(&*comm, &folder, 1).unwrap();
            let saved = comm.sent();
            Checkpoint::open(&*comm, &*folder).unwrap();
            let opened = comm.sent();
            assert!((saved - before).messages <= 8 * rounds + check);
            assert!((opened - saved).messages <= 2 * rounds);
        });
    }
}

fn problem(error: &FileError) -> (usize, Kind) {
    match error {
        FileError::File { rank, problem } => (*rank, problem.kind),
        FileError::Broken(broken) => panic!("{broken}"),
    }
}

/// Whatever fails, on whichever rank: all get the same error, and the checkpoint before is still there, alone.
#[test]
fn a_failure_leaves_the_one_before() {
    let folder = Folder::new("failure");
    saved(&folder, 1, 2);
    for ranks in RANKS {
        let rows = Distribution::even(ranks, ranks);
        let last = ranks - 1;
        let put = |folder: &Path,
                   comm: &dyn Communicator,
                   names: &[&str],
                   shape: &[usize],
                   own: &[u8]| {
            let entries: Vec<_> = names
                .iter()
                .map(|name| Entry {
                    name,
                    elem: ScalarType::U8,
                    shape,
                    rows: &rows,
                    own,
                })
                .collect();
            Checkpoint::save(comm, folder, &entries, &[("t", Const::u8(1))])
        };
        for names in [&["a/b"][..], &[""], &["a", "a"], &["t"], &[".."]] {
            let found = error(ranks, |comm| put(&folder, comm, names, &[ranks], &[1]));
            assert_eq!(problem(&found), (0, Kind::Name), "{names:?}");
        }
        let found = error(ranks, |comm| {
            let own: &[u8] = if comm.rank() == last { &[1, 2] } else { &[1] };
            put(&folder, comm, &["a", "b"], &[ranks], own)
        });
        assert_eq!(problem(&found), (last, Kind::Length));
        let found = error(ranks, |comm| {
            let shape = [ranks, usize::MAX];
            put(&folder, comm, &["a"], &shape, &[1])
        });
        assert_eq!(problem(&found), (0, Kind::Shape));
        if ranks > 1 {
            // A rank that does not see the folder that rank 0 made.
            let found = error(ranks, |comm| {
                let elsewhere = folder.join("elsewhere");
                let folder = if comm.rank() == last {
                    &elsewhere
                } else {
                    &*folder
                };
                put(folder, comm, &["a", "b"], &[ranks], &[1])
            });
            assert_eq!(problem(&found), (last, Kind::Missing));
            assert!(found.to_string().contains("elsewhere"), "{found}");
        }
        assert_eq!(names(&folder), ["1", "current"]);
        holds(&folder, 1, ranks);
    }
}

#[test]
fn a_file_in_place_of_the_folder() {
    let folder = Folder::new("no-folder");
    let path = folder.join("file");
    fs::write(&path, "text").unwrap();
    for ranks in RANKS {
        let found = error(ranks, |comm| save(comm, &path, 1));
        assert_eq!(problem(&found), (0, Kind::Io));
        assert_eq!(fs::read(&path).unwrap(), b"text");
    }
}

#[test]
fn names_that_were_not_saved() {
    let folder = Folder::new("unknown");
    saved(&folder, 1, 2);
    let read = |comm: &dyn Communicator, name: &str| {
        let saved = Checkpoint::open(comm, &*folder)?.unwrap();
        saved.read(comm, name, &Distribution::even(3, 3)).map(drop)
    };
    let found = error(3, |comm| read(comm, "of"));
    assert_eq!(problem(&found), (0, Kind::Unknown));
    let text = found.to_string();
    assert!(
        text.contains("no array \"of\", expected one of of[bool] of[i8] "),
        "{text}"
    );
    let found = error(3, |comm| {
        let saved = Checkpoint::open(comm, &*folder)?.unwrap();
        saved.scalar("of[bool]")
    });
    assert!(found.to_string().contains("no scalar"), "{found}");
}

/// What becomes of the bytes of a file; nothing, where it goes.
type Damage<'a> = &'a dyn Fn(Vec<u8>) -> Option<Vec<u8>>;

/// What a hand or a disk does to it is told, and never restored from.
#[test]
fn damage() {
    let folder = Folder::new("damage");
    let file = "1/of[i32].npy";
    let damages: &[(&str, Damage<'_>, Kind)] = &[
        ("current", &|_| Some(vec![]), Kind::Damaged),
        ("current", &|_| Some(b"1".to_vec()), Kind::Damaged),
        ("current", &|_| Some(b"01\n".to_vec()), Kind::Damaged),
        ("current", &|_| Some(b"../1\n".to_vec()), Kind::Damaged),
        ("current", &|_| Some(b"2\n".to_vec()), Kind::Damaged),
        ("1/contents", &|_| None, Kind::Damaged),
        (
            "1/contents",
            &|it| Some(it[..it.len() / 2].to_vec()),
            Kind::Damaged,
        ),
        (file, &|_| None, Kind::Missing),
        (
            file,
            &|it| Some(it[..it.len() - 1].to_vec()),
            Kind::Truncated,
        ),
        (
            file,
            &|_| Some(fs::read(folder.join("1/of[i8].npy")).unwrap()),
            Kind::Damaged,
        ),
    ];
    for (name, damage, kind) in damages {
        let _ = fs::remove_dir_all(&*folder);
        saved(&folder, 1, 1);
        let path = folder.join(name);
        match damage(fs::read(&path).unwrap()) {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        for ranks in RANKS {
            let found = error(ranks, |comm| Checkpoint::open(comm, &*folder).map(drop));
            assert_eq!(problem(&found), (0, *kind), "{name}: {found}");
        }
    }
}

/// What it leaves in the folder after a first step.
type Crash<'a> = &'a dyn Fn(&Path);

/// What a crash between the steps of a call leaves: the last complete version is read, and the next call cleans up.
#[test]
fn what_crashes_leave() {
    let list = |folder: &Path, bytes: &[u8]| {
        fs::create_dir(folder.join("2")).unwrap();
        fs::write(folder.join("2/contents"), bytes).unwrap();
    };
    let text = b"cuprous checkpoint 1\nend\n";
    let crashes: &[(Crash<'_>, u64)] = &[
        (&|folder| fs::create_dir(folder.join("2")).unwrap(), 1),
        (&|folder| list(folder, b""), 1),
        (&|folder| list(folder, &text[..10]), 1),
        (
            &|folder| {
                list(folder, text);
                fs::write(folder.join("2/half.npy"), b"\x93NUMPY").unwrap();
            },
            1,
        ),
        (
            &|folder| {
                list(folder, text);
                fs::write(folder.join("current.part"), "").unwrap();
            },
            1,
        ),
        (
            &|folder| {
                list(folder, text);
                fs::write(folder.join("current.part"), "2\n").unwrap();
            },
            1,
        ),
        // Version 2 is complete, and version 1, or a part of it, is still there.
        (&|folder| copied(folder, &[]), 2),
        (&|folder| copied(folder, &["of[i8].npy", "of[f64].npy"]), 2),
    ];
    for (crash, step) in crashes {
        for ranks in RANKS {
            let folder = Folder::new("crashes");
            saved(&folder, 1, ranks);
            crash(&folder);
            holds(&folder, *step, ranks);
            saved(&folder, 7, ranks);
            holds(&folder, 7, ranks);
            assert_eq!(names(&folder), ["3", "current"]);
        }
    }
    // The very first call, which has nothing before it.
    let folder = Folder::new("first-crash");
    list_of_first(&folder);
    none(&folder);
    saved(&folder, 1, 2);
    holds(&folder, 1, 3);
    assert_eq!(names(&folder), ["2", "current"]);
}

fn list_of_first(folder: &Path) {
    fs::create_dir(folder.join("1")).unwrap();
    fs::write(folder.join("1/contents"), "").unwrap();
}

/// Makes version 2, and puts back version 1 without some of its files.
fn copied(folder: &Path, without: &[&str]) {
    let old: Vec<_> = names(&folder.join("1"))
        .into_iter()
        .map(|name| (fs::read(folder.join("1").join(&name)).unwrap(), name))
        .collect();
    saved(folder, 2, 2);
    fs::create_dir(folder.join("1")).unwrap();
    for (bytes, name) in old {
        if !without.contains(&&name[..]) {
            fs::write(folder.join("1").join(name), bytes).unwrap();
        }
    }
}

/// Other things in the folder stay, numbered ones too.
#[test]
fn what_is_not_ours_stays() {
    let folder = Folder::new("theirs");
    for (name, file) in [
        ("2024", "result.npy"),
        ("notes", "a.txt"),
        ("30", "contents.txt"),
    ] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join(file), "theirs").unwrap();
    }
    fs::write(folder.join("7"), "theirs").unwrap();
    for step in 1..4 {
        saved(&folder, step, 2);
        holds(&folder, step, 3);
    }
    assert_eq!(
        names(&folder),
        ["2024", "2027", "30", "7", "current", "notes"]
    );
    assert_eq!(names(&folder.join("2024")), ["result.npy"]);
}
