//! Bindings reach the system's library through this crate, or are told that there is none.

use cuprous_opencl_loader as loader;

#[test]
fn platforms() {
    let mut count = 0u32;
    // SAFETY: asks for the number alone.
    let status = unsafe {
        loader::entry::clGetPlatformIDs(0, std::ptr::null_mut(), (&raw mut count).cast())
    };
    println!(
        "library: {}, status {status}, platforms: {count}",
        loader::is_present()
    );
    match loader::is_present() {
        true => assert!(status == 0 || status == -1001, "{status}"),
        false => assert_eq!(status, -1001),
    }
    if count > 0 {
        let list = ocl_core::get_platform_ids().unwrap();
        assert_eq!(list.len(), count as usize);
        for platform in list {
            let name = ocl_core::get_platform_info(platform, ocl_core::PlatformInfo::Name).unwrap();
            println!("{name}");
        }
    }
}
